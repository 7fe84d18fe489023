-- Compares a listing with the ledger: which objects are new, and what is known of the others. Runs when a load is planned from a listing
-- (functions/plan.py, leave_out_loaded.py).
-- The listing goes in by COPY and only the new files come out, so a million keys are compared here and not in a function.
-- The table is temporary, so nothing is left behind: a Data API batch is a session of its own.
CREATE TEMPORARY TABLE ${plan_table} (LIKE ${loader_schema}.file_plan);

COPY ${plan_table}
FROM '${listing}'
IAM_ROLE ${copy_role}
FORMAT AS JSON 'auto'
GZIP
COMPUPDATE OFF
STATUPDATE OFF;

-- Two columns, because there may be a million rows. Without a name: the number of a new file. Named by a status: how many files have it.
-- Then the state of the ledger, as in plan/ledger.sql: its rows of loads, named by when its tables were created, and their version.
-- Files that are named by key are tried again although they were rejected or withdrawn. A reload includes loaded files, too.
SELECT
    CASE WHEN k.status IS NULL THEN MIN(k.seq) ELSE COUNT(*) END AS figure,
    CAST(k.status AS VARCHAR(128)) AS name
FROM (
    SELECT
        p.seq,
        MIN(f.status) AS status
    FROM ${plan_table} AS p
    LEFT JOIN ${schema}.files AS f
        ON
            p.bucket = f.bucket
            AND p.key = f.key
            AND p.etag = f.etag
            AND (
                (f.status = 'loaded' AND ${reload} = 0)
                OR (f.status = 'rejected' AND ${reload} = 0 AND ${named} = 0)
                OR (f.status = 'withdrawn' AND ${named} = 0)
            )
    GROUP BY p.seq
) AS k
GROUP BY
    k.status,
    CASE WHEN k.status IS NULL THEN k.seq END
UNION ALL
SELECT
    CAST(l.loads AS BIGINT) AS figure,
    CAST(TO_CHAR(MIN(v.applied_at), 'YYYY-MM-DD HH24:MI:SS.US') AS VARCHAR(128)) AS name
FROM ${schema}.schema_version AS v
CROSS JOIN (
    SELECT COUNT(*) AS loads
    FROM ${schema}.loads
) AS l
GROUP BY l.loads
UNION ALL
SELECT
    CAST(MAX(s.version) AS BIGINT) AS figure,
    CAST('version' AS VARCHAR(128)) AS name
FROM ${schema}.schema_version AS s;
