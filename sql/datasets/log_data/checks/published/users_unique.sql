-- No user_id is in users twice. Runs in the publish transaction of log files.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM (
    SELECT user_id
    FROM ${schema}.users
    GROUP BY user_id
    HAVING COUNT(*) > 1
) AS doubled
