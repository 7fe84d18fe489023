-- No time is left at which nothing was played, and no user who played nothing. Runs in the undo of a load.
SELECT
    n.times + p.users AS figure,
    0 AS expected
FROM (
    SELECT COUNT(*) AS times
    FROM ${schema}.time AS t
    LEFT JOIN ${schema}.songplays AS f ON t.start_time = f.start_time
    WHERE f.start_time IS NULL
) AS n
CROSS JOIN (
    SELECT COUNT(*) AS users
    FROM ${schema}.users AS u
    LEFT JOIN ${schema}.songplays AS g ON u.user_id = g.user_id
    WHERE g.user_id IS NULL
) AS p
