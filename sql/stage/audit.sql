-- The audit, in one result: what is staged, the version of the tables and the contracts that they have had, the checks on staging, the
-- files that COPY has reported, and what earlier loads noticed. Runs in the stage step. staged is the dataset's staged.sql; checks is a
-- UNION ALL of the check files, one row each; filled counts the filled rows of each column, misfits the rows whose values do not fit
-- (functions/loader/statements.py). digest: a check's definition, a file's ETag. first_start, last_start: when a key was last seen; when a
-- column was last filled, and when it was last reported as empty.
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
    CAST('contract' AS VARCHAR(16)) AS kind,
    CAST(t.digest AS VARCHAR(256)) AS name,
    CAST(NULL AS VARCHAR(256)) AS digest,
    CAST(t.number AS BIGINT) AS figure,
    CAST(NULL AS BIGINT) AS expected,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM ${schema}.contracts AS t
WHERE t.dataset = '${dataset}'
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
FROM files_copied AS f
UNION ALL
SELECT
    CAST('key' AS VARCHAR(16)) AS kind,
    CAST(k.path AS VARCHAR(256)) AS name,
    CAST(NULL AS VARCHAR(256)) AS digest,
    CAST(NULL AS BIGINT) AS figure,
    CAST(NULL AS BIGINT) AS expected,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    TO_CHAR(MAX(k.seen_at), 'YYYY-MM-DD HH24:MI:SS.US') AS last_start
FROM ${schema}.key_sightings AS k
WHERE k.dataset = '${dataset}'
GROUP BY k.path
UNION ALL
SELECT
    CAST('column' AS VARCHAR(16)) AS kind,
    CAST(g.column_name AS VARCHAR(256)) AS name,
    CAST(NULL AS VARCHAR(256)) AS digest,
    CAST(SUM(g.rows_staged) AS BIGINT) AS figure,
    CAST(SUM(g.filled) AS BIGINT) AS expected,
    TO_CHAR(MAX(CASE WHEN g.filled > 0 THEN g.recorded_at END), 'YYYY-MM-DD HH24:MI:SS.US') AS first_start,
    TO_CHAR(MAX(CASE WHEN g.told = 1 THEN g.recorded_at END), 'YYYY-MM-DD HH24:MI:SS.US') AS last_start
FROM ${schema}.column_figures AS g
WHERE g.dataset = '${dataset}'
GROUP BY g.column_name
UNION ALL
SELECT
    CAST('filled' AS VARCHAR(16)) AS kind,
    CAST(l.part AS VARCHAR(256)) AS name,
    CAST(l.counts AS VARCHAR(256)) AS digest,
    CAST(NULL AS BIGINT) AS figure,
    CAST(NULL AS BIGINT) AS expected,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM (
    ${filled}
) AS l
UNION ALL
SELECT
    CAST('misfits' AS VARCHAR(16)) AS kind,
    CAST(m.name AS VARCHAR(256)) AS name,
    CAST(NULL AS VARCHAR(256)) AS digest,
    CAST(m.figure AS BIGINT) AS figure,
    CAST(NULL AS BIGINT) AS expected,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM (
    ${misfits}
) AS m;
