-- Drops the tables of ratings. Runs on {"reset": true}, after migrations/drop.sql.
DROP TABLE IF EXISTS ${schema}.ratings, ${loader_schema}.rating_stage;
