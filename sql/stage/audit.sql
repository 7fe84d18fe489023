-- The audit: what is staged, the version of the tables, and the checks on staging, in one result. Runs in the stage step.
-- staged is the dataset's staged.sql, checks a UNION ALL of checks/staged/*.sql, one row each.
SELECT
    CAST('staged' AS VARCHAR(16)) AS kind,
    CAST('rows' AS VARCHAR(128)) AS name,
    CAST(NULL AS VARCHAR(16)) AS definition,
    s.staged_rows AS figure,
    CAST(NULL AS BIGINT) AS expected,
    s.first_start,
    s.last_start
FROM (
    ${staged}
) AS s
UNION ALL
SELECT
    CAST('version' AS VARCHAR(16)) AS kind,
    CAST('schema_version' AS VARCHAR(128)) AS name,
    CAST(NULL AS VARCHAR(16)) AS definition,
    CAST(MAX(v.version) AS BIGINT) AS figure,
    CAST(NULL AS BIGINT) AS expected,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM ${schema}.schema_version AS v
UNION ALL
SELECT
    CAST('check' AS VARCHAR(16)) AS kind,
    c.name,
    c.definition,
    c.figure,
    c.expected,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM (
    ${checks}
) AS c;
