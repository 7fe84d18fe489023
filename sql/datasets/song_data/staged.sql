-- What was staged. Songs have no range of start_time. Runs in the stage step.
SELECT
    COUNT(*) AS staged_rows,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM ${loader_schema}.${song_stage}
