-- Every NextSong event has its whole key: without it, plays cannot be distinguished. The columns of the key are numbers and a time, into
-- which COPY loads NULL for an empty or blank text. Other pages need no user. Runs after COPY of log files.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${event_stage}
WHERE
    page = 'NextSong'
    AND (user_id IS NULL OR session_id IS NULL OR item_in_session IS NULL OR ts IS NULL)
