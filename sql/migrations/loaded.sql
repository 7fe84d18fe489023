-- Which datasets have loaded files, by the ledger. Runs before missing tables are created (functions/migrate.py): if such a dataset lacks
-- a table, somebody dropped it, and an empty table in its place would hide that.
SELECT
    dataset,
    COUNT(*) AS files
FROM ${schema}.files
WHERE status = 'loaded'
GROUP BY dataset;
