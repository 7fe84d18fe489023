-- Drops all that the migrations made, but not the schema itself, so that its grants and default privileges stay.
-- Runs on {"reset": true}, in the transaction that makes it all anew (functions/reset.py).
LOCK ${schema}.publish_lock;

DROP VIEW IF EXISTS ${schema}.file_status;

DROP TABLE IF EXISTS ${schema}.songplays;

DROP TABLE IF EXISTS ${schema}.users;

DROP TABLE IF EXISTS ${schema}.songs;

DROP TABLE IF EXISTS ${schema}.artists;

DROP TABLE IF EXISTS ${schema}.time;

DROP TABLE IF EXISTS ${schema}.event_stage;

DROP TABLE IF EXISTS ${schema}.song_stage;

DROP TABLE IF EXISTS ${schema}.file_plan;

DROP TABLE IF EXISTS ${schema}.files;

DROP TABLE IF EXISTS ${schema}.loads;

DROP TABLE IF EXISTS ${schema}.check_results;

DROP TABLE IF EXISTS ${schema}.schema_version;

DROP TABLE IF EXISTS ${schema}.publish_lock;
