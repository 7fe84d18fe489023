-- The audit: what is staged, the version of the tables, the checks on staging, and the files that COPY has reported, in one result.
-- Runs in the stage step. staged is the dataset's staged.sql, checks a UNION ALL of checks/staged/*.sql, one row each.
-- digest: of a check its definition, of a file its ETag.
SELECT
    CAST('staged' AS VARCHAR(16)) AS kind,
    CAST('rows' AS VARCHAR(256)) AS name,
    CAST(NULL AS VARCHAR(256)) AS digest,
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
    CAST('schema_version' AS VARCHAR(256)) AS name,
    CAST(NULL AS VARCHAR(256)) AS digest,
    CAST(MAX(v.version) AS BIGINT) AS figure,
    CAST(NULL AS BIGINT) AS expected,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM ${schema}.schema_version AS v
UNION ALL
SELECT
    CAST('check' AS VARCHAR(16)) AS kind,
    CAST(c.name AS VARCHAR(256)) AS name,
    CAST(c.definition AS VARCHAR(256)) AS digest,
    c.figure,
    c.expected,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM (
    ${checks}
) AS c
UNION ALL
SELECT
    CAST('file' AS VARCHAR(16)) AS kind,
    CAST(f.file_name AS VARCHAR(256)) AS name,
    CAST(f.etag AS VARCHAR(256)) AS digest,
    CAST(f.lines AS BIGINT) AS figure,
    CAST(NULL AS BIGINT) AS expected,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM files_copied AS f;
