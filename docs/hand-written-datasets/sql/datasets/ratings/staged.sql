-- What was staged: rows, and the range of rated_at that bounds the statements on ratings. Runs in the stage step.
SELECT
    COUNT(*) AS staged_rows,
    TO_CHAR(MIN(rated_at), 'YYYY-MM-DD HH24:MI:SS.US') AS first_start,
    TO_CHAR(MAX(rated_at), 'YYYY-MM-DD HH24:MI:SS.US') AS last_start
FROM ${loader_schema}.${rating_stage}
