-- Drops the tables of log files. Runs on {"reset": true}, after migrations/drop.sql.
DROP TABLE IF EXISTS ${schema}.songplays, ${schema}.users, ${schema}.time;

DROP TABLE IF EXISTS ${schema}.songplay_versions, ${schema}.user_versions, ${loader_schema}.event_stage;
