-- The tables of the loader's own schema, on which readers have no rights: the lock, the parent of a plan's table, and the key of masked
-- columns. Runs in one transaction, before the migrations, whenever a load misses a table (functions/migrate.py), and around a reset. It
-- changes nothing that exists. Only the key is data: if no dataset masks columns, dropping the schema loses nothing. The lock: every
-- transaction that writes the star schema or the ledger locks it first and then updates its one row. A reset keeps it.
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

-- The key of masked columns, one row if a dataset masks any (mask_key.sql). A reset drops it, with the hashes that it made.
CREATE TABLE IF NOT EXISTS ${loader_schema}.mask_key (
    secret VARCHAR(64) NOT NULL
);
