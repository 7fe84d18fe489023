-- Drops all tables and views but the lock's, and not the schemas, so that their grants and default privileges stay. Runs on
-- {"reset": true}, in the transaction that makes the ledger again (functions/reset.py): two lists, so that it is as many statements for any
-- number of datasets. They are what ledger.sql, loader_tables.sql and each dataset's tables.sql create (functions/loader/statements.py).
-- The lock stays: publishes wait for it, and one that met a dropped lock would fail instead.
-- docs.aws.amazon.com/redshift/latest/dg/r_DROP_TABLE.html takes a list, and so does r_DROP_VIEW.html.
LOCK ${loader_schema}.publish_lock;

UPDATE ${loader_schema}.publish_lock
SET holder = '${load_id}';

DROP VIEW IF EXISTS ${views};

DROP TABLE IF EXISTS ${tables};
