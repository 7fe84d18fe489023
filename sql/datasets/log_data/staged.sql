-- What was staged: rows, and the range of start_time that bounds the publish statements on the fact table. Runs in the stage step.
SELECT
    COUNT(*) AS staged_rows,
    TO_CHAR(MIN(ts), 'YYYY-MM-DD HH24:MI:SS.US') AS first_start,
    TO_CHAR(MAX(ts), 'YYYY-MM-DD HH24:MI:SS.US') AS last_start
FROM ${schema}.${event_stage}
