-- No event, user or time exists twice. Runs in the undo of a load that has log files, over the range of its plays.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM (
    SELECT 1 AS doubled
    FROM ${schema}.songplays
    WHERE start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    GROUP BY user_id, session_id, item_in_session, start_time
    HAVING COUNT(*) > 1
    UNION ALL
    SELECT 1 AS doubled
    FROM ${schema}.users
    GROUP BY user_id
    HAVING COUNT(*) > 1
    UNION ALL
    SELECT 1 AS doubled
    FROM ${schema}.time
    WHERE start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    GROUP BY start_time
    HAVING COUNT(*) > 1
) AS d
