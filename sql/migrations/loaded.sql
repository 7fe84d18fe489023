-- Of which datasets files are loaded, by the ledger. Runs before missing tables are made (functions/migrate.py): one that held rows of
-- these files was dropped by somebody, and an empty one in its place would hide that.
SELECT
    dataset,
    COUNT(*) AS files
FROM ${schema}.files
WHERE status = 'loaded'
GROUP BY dataset;
