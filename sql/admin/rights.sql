-- Creates and drops a table in both schemas, and a temporary table, as the loader does. Runs in the preflight ({"check": true}).
CREATE TABLE ${schema}.${stage_table} (seq BIGINT);

CREATE TABLE ${loader_schema}.${stage_table} (seq BIGINT);

CREATE TEMPORARY TABLE ${stage_table}_temporary (seq BIGINT);

DROP TABLE ${schema}.${stage_table}, ${loader_schema}.${stage_table};
