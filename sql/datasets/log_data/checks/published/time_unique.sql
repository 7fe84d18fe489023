-- No start_time is in time twice. Runs in the publish transaction of log files, over their range of time.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM (
    SELECT start_time
    FROM ${schema}.time
    WHERE start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    GROUP BY start_time
    HAVING COUNT(*) > 1
) AS doubled
