-- Every play is of the years 2000 to 2099: times in seconds instead of milliseconds would load as January 1970. Runs after COPY of log
-- files. Other years are right for you? Change the range; times do not matter? Delete this file.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${event_stage}
WHERE
    page = 'NextSong'
    AND (ts < TIMESTAMP '2000-01-01 00:00:00' OR ts >= TIMESTAMP '2100-01-01 00:00:00')
