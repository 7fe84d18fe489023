-- The audit: what is staged, the version of the tables, and the checks on staging, in one result. Runs in the stage step.
-- staged is the dataset's staged.sql, checks a UNION ALL of checks/staged/*.sql, one row each.
SELECT 'staged' AS kind, 'rows' AS name, s.staged_rows AS figure, CAST(NULL AS BIGINT) AS expected, s.first_start, s.last_start
FROM (
    ${staged}
) AS s
UNION ALL
SELECT
    'version' AS kind, 'schema_version' AS name, CAST(MAX(v.version) AS BIGINT) AS figure, CAST(NULL AS BIGINT) AS expected,
    CAST(NULL AS VARCHAR(32)) AS first_start, CAST(NULL AS VARCHAR(32)) AS last_start
FROM ${schema}.schema_version AS v
UNION ALL
SELECT
    'check' AS kind, c.name, c.figure, c.expected,
    CAST(NULL AS VARCHAR(32)) AS first_start, CAST(NULL AS VARCHAR(32)) AS last_start
FROM (
    ${checks}
) AS c;
