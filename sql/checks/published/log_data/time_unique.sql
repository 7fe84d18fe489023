-- No start_time is in time twice. Runs in the publish transaction of log files, over their range of time.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM (
    SELECT start_time
    FROM ${schema}.time
    WHERE start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
    GROUP BY start_time
    HAVING COUNT(*) > 1
) AS doubled
