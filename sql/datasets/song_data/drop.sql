-- Drops the tables of song files. Runs on {"reset": true}, after migrations/drop.sql.
DROP TABLE IF EXISTS ${schema}.songs, ${schema}.artists, ${schema}.song_versions, ${loader_schema}.song_stage;
