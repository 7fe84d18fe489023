-- The state of the ledger in one row: when its tables were created (a restored snapshot keeps that time), how many rows the table loads
-- has, and the version of the tables. Runs when a load compares no file (functions/plan.py), and as a part of publish/figures.sql.
-- The row of the batch that is published in the same transaction does not count: a ledger that was restored to an earlier state must not
-- look complete because of it.
SELECT
    CAST('ledger' AS VARCHAR(16)) AS kind,
    CAST(TO_CHAR(MIN(v.applied_at), 'YYYY-MM-DD HH24:MI:SS.US') AS VARCHAR(128)) AS name,
    CAST(l.loads AS BIGINT) AS figure,
    CAST(MAX(v.version) AS BIGINT) AS expected
FROM ${schema}.schema_version AS v
CROSS JOIN (
    SELECT COUNT(*) AS loads
    FROM ${schema}.loads
    WHERE load_id <> '${load_id}' OR batch <> '${batch}'
) AS l
GROUP BY l.loads
