-- The tables of the loader's own schema, on which readers have no rights: the lock and the parent of a plan's table. Runs in one
-- transaction, before the migrations, whenever a load misses a table (functions/migrate.py), and around a reset. It changes nothing that
-- exists. None of these tables holds data, so dropping the schema loses nothing. The lock: every transaction that writes the star schema
-- or the ledger locks it first and then updates its one row. A reset keeps it.
CREATE TABLE IF NOT EXISTS ${loader_schema}.publish_lock (
    holder VARCHAR(64) NOT NULL
);

INSERT INTO ${loader_schema}.publish_lock (holder)
SELECT CAST('none' AS VARCHAR(64))
FROM (
    SELECT COUNT(*) AS holders
    FROM ${loader_schema}.publish_lock
) AS k
WHERE k.holders = 0;

-- Parent of the temporary table in which a plan is compared with the ledger.
CREATE TABLE IF NOT EXISTS ${loader_schema}.file_plan (
    seq BIGINT,
    bucket VARCHAR(64),
    key VARCHAR(1024),
    etag VARCHAR(256)
) DISTKEY (key);
