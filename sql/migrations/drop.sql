-- Drops all that the migrations made, but not the schema itself, so that its grants and default privileges stay.
-- Runs on {"reset": true}, in the transaction that makes it all anew (functions/reset.py): few statements, for that transaction
-- has all the migrations' too and takes 40.
LOCK ${schema}.publish_lock;

DROP VIEW IF EXISTS ${schema}.file_status;

DROP TABLE IF EXISTS ${schema}.songplays, ${schema}.users, ${schema}.songs, ${schema}.artists, ${schema}.time;

DROP TABLE IF EXISTS ${schema}.songplay_versions, ${schema}.user_versions, ${schema}.song_versions;

DROP TABLE IF EXISTS ${schema}.event_stage, ${schema}.song_stage, ${schema}.file_plan;

DROP TABLE IF EXISTS ${schema}.files, ${schema}.loads, ${schema}.check_results, ${schema}.left_out, ${schema}.undone;

DROP TABLE IF EXISTS ${schema}.schema_version, ${schema}.publish_lock;
