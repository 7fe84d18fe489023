-- What was staged: the rows, and the range of start_time that bounds the publish statements on the fact table. It is the range of the
-- plays, so that one Home event with a wrong clock does not widen it. Runs in the stage step.
SELECT
    COUNT(*) AS staged_rows,
    TO_CHAR(MIN(CASE WHEN page = 'NextSong' THEN ts END), 'YYYY-MM-DD HH24:MI:SS.US') AS first_start,
    TO_CHAR(MAX(CASE WHEN page = 'NextSong' THEN ts END), 'YYYY-MM-DD HH24:MI:SS.US') AS last_start
FROM ${loader_schema}.${event_stage}
