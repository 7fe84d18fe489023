-- What was staged: rows, and the range of ts that bounds the statements on readings. Runs in the stage step.
SELECT
    COUNT(*) AS staged_rows,
    TO_CHAR(MIN(ts), 'YYYY-MM-DD HH24:MI:SS.US') AS first_start,
    TO_CHAR(MAX(ts), 'YYYY-MM-DD HH24:MI:SS.US') AS last_start
FROM ${loader_schema}.${reading_stage}
