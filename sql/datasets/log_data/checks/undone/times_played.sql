-- Every row of time has a play, and every user was decided by an event that is a play. Runs in the undo of a load that has log files, over
-- the range of its plays.
SELECT
    n.times + p.users AS figure,
    0 AS expected
FROM (
    SELECT COUNT(*) AS times
    FROM ${schema}.time AS t
    LEFT JOIN ${schema}.songplays AS f
        ON
            t.start_time = f.start_time
            AND f.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    WHERE
        t.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
        AND f.start_time IS NULL
) AS n
CROSS JOIN (
    SELECT COUNT(*) AS users
    FROM ${schema}.users AS u
    LEFT JOIN ${schema}.songplays AS g
        ON
            u.user_id = g.user_id
            AND u.as_of_session_id = g.session_id
            AND u.as_of_item_in_session = g.item_in_session
            AND u.as_of_start_time = g.start_time
            AND g.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    WHERE
        u.as_of_start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
        AND g.user_id IS NULL
) AS p
