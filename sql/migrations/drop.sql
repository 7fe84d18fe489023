-- Drops the ledger, but not the schema itself, so that its grants and default privileges stay; each dataset's own tables go after it
-- (datasets/<name>/drop.sql). Runs on {"reset": true}, in the transaction that makes it all anew (functions/reset.py): few statements,
-- for that transaction has all the migrations' too and takes 40.
LOCK ${schema}.publish_lock;

DROP VIEW IF EXISTS ${schema}.file_status;

DROP TABLE IF EXISTS ${schema}.files, ${schema}.loads, ${schema}.check_results, ${schema}.left_out, ${schema}.undone;

DROP TABLE IF EXISTS ${schema}.load_figures, ${schema}.file_plan, ${schema}.schema_version, ${schema}.publish_lock;
