-- No event, user, song, artist or time is there twice. Runs in the undo of a load.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM (
    SELECT 1 AS doubled
    FROM ${schema}.songplays
    GROUP BY user_id, session_id, item_in_session, start_time
    HAVING COUNT(*) > 1
    UNION ALL
    SELECT 1 AS doubled
    FROM ${schema}.users
    GROUP BY user_id
    HAVING COUNT(*) > 1
    UNION ALL
    SELECT 1 AS doubled
    FROM ${schema}.songs
    GROUP BY song_id
    HAVING COUNT(*) > 1
    UNION ALL
    SELECT 1 AS doubled
    FROM ${schema}.artists
    GROUP BY artist_id
    HAVING COUNT(*) > 1
    UNION ALL
    SELECT 1 AS doubled
    FROM ${schema}.time
    GROUP BY start_time
    HAVING COUNT(*) > 1
) AS d
