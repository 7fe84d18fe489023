-- Which objects of a listing are new by the ledger. Runs when a load is planned from a listing (functions/plan.py, leave_out_loaded.py).
-- The listing goes in by COPY and only what is new comes out, so a million keys are compared here and not in a function.
-- A temporary table, so that nothing is left behind: a Data API batch is a session of its own.
CREATE TEMPORARY TABLE ${plan_table} (LIKE ${loader_schema}.file_plan);

COPY ${plan_table}
FROM '${listing}'
IAM_ROLE ${copy_role}
FORMAT AS JSON 'auto'
GZIP
COMPUPDATE OFF
STATUPDATE OFF;

-- Files that are named by key are tried again although they were rejected or withdrawn. A reload means what is loaded, too.
SELECT p.seq
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
WHERE f.key IS NULL
ORDER BY p.seq;
