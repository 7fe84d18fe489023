-- Which objects of a listing are new by the ledger. Runs when a load is planned from a listing (functions/plan.py, leave_out_loaded.py).
-- The listing goes in by COPY and only what is new comes out, so a million keys are compared here and not in a function.
-- A temporary table, so that nothing is left behind: a Data API batch is a session of its own.
CREATE TEMPORARY TABLE ${plan_table} (LIKE ${schema}.file_plan);

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
WHERE
    NOT EXISTS (
        SELECT 1
        FROM ${schema}.files AS f
        WHERE
            f.bucket = p.bucket
            AND f.key = p.key
            AND f.etag = p.etag
            AND (
                (f.status = 'loaded' AND CAST(:mode AS VARCHAR(16)) <> 'reload')
                OR (f.status = 'rejected' AND CAST(:mode AS VARCHAR(16)) <> 'reload' AND CAST(:named AS VARCHAR(8)) = 'no')
                OR (f.status = 'withdrawn' AND CAST(:named AS VARCHAR(8)) = 'no')
            )
    )
ORDER BY p.seq;
