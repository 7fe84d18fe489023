-- Every play's user is in users. Runs in the publish transaction of log files, over their range of time.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${schema}.songplays AS f
LEFT JOIN ${schema}.users AS d ON f.user_id = d.user_id
WHERE
    f.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    AND d.user_id IS NULL
