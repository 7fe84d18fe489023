-- Every play's start_time is in time. Runs in the publish transaction of log files, over their range of time.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${schema}.songplays AS f
LEFT JOIN ${schema}.time AS d ON f.start_time = d.start_time
WHERE
    f.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    AND d.start_time IS NULL
