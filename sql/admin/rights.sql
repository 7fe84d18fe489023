-- Makes and drops a table in the schema, as each load does. Runs in the preflight ({"check": true}).
CREATE TABLE ${schema}.${stage_table} (seq BIGINT);

DROP TABLE ${schema}.${stage_table};
