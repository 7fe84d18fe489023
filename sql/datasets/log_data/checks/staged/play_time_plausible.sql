-- Every play is between the years 2000 and 2099: times in seconds instead of milliseconds would load as January 1970. Runs after COPY of
-- log files. If your data has other years, change the range; if times do not matter, delete this file.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${event_stage}
WHERE
    page = 'NextSong'
    AND (ts < TIMESTAMP '2000-01-01 00:00:00' OR ts >= TIMESTAMP '2100-01-01 00:00:00')
