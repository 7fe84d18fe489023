-- No event is in the fact table twice. Runs in the publish transaction of log files, over their range of time.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM (
    SELECT user_id, session_id, item_in_session, start_time
    FROM ${schema}.songplays
    WHERE start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    GROUP BY user_id, session_id, item_in_session, start_time
    HAVING COUNT(*) > 1
) AS doubled
