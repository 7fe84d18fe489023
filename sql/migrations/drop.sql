-- Drops the ledger, but not the schemas themselves, so that their grants and default privileges stay; each dataset's own tables go after
-- it (datasets/<name>/drop.sql). Runs on {"reset": true}, in the transaction that creates it all again (functions/reset.py): few
-- statements, for that transaction has the baseline's and the later migrations' too and takes 40. The lock stays: publishes wait for it,
-- and one that met a dropped lock would fail instead.
LOCK ${loader_schema}.publish_lock;

UPDATE ${loader_schema}.publish_lock
SET holder = '${load_id}';

DROP VIEW IF EXISTS ${schema}.file_status, ${schema}.unknown_keys;

DROP TABLE IF EXISTS ${schema}.files, ${schema}.loads, ${schema}.check_results, ${schema}.left_out, ${schema}.undone;

DROP TABLE IF EXISTS ${schema}.load_figures, ${schema}.schema_version, ${schema}.key_sightings, ${schema}.column_figures,
${loader_schema}.file_plan;
