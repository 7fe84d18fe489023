-- Drops all tables and views except the lock's. The schemas stay, with their grants and default privileges. Runs on {"reset": true}, in
-- the transaction that creates the ledger again (functions/reset.py). There are two lists, so the number of statements does not depend on
-- the number of datasets; they are what ledger.sql, loader_tables.sql and each dataset's tables.sql create
-- (functions/loader/statements.py). The lock stays because publishes wait for it, and would fail if it was dropped. DROP TABLE and DROP
-- VIEW take lists: docs.aws.amazon.com/redshift/latest/dg/r_DROP_TABLE.html, r_DROP_VIEW.html.
LOCK ${loader_schema}.publish_lock;

UPDATE ${loader_schema}.publish_lock
SET holder = '${load_id}';

DROP VIEW IF EXISTS ${views};

DROP TABLE IF EXISTS ${tables};
