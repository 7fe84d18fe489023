-- What was staged: rows, and the range of created_at that bounds the statements on events. Runs in the stage step.
SELECT
    COUNT(*) AS staged_rows,
    TO_CHAR(MIN(created_at), 'YYYY-MM-DD HH24:MI:SS.US') AS first_start,
    TO_CHAR(MAX(created_at), 'YYYY-MM-DD HH24:MI:SS.US') AS last_start
FROM ${loader_schema}.${code_event_stage}
