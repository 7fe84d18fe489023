-- Every play's user, time and song are in their dimensions. Runs in the undo of a load that has log files, over the range of its plays.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${schema}.songplays AS f
LEFT JOIN ${schema}.users AS u ON f.user_id = u.user_id
LEFT JOIN ${schema}.time AS t ON f.start_time = t.start_time
LEFT JOIN ${schema}.songs AS s ON f.song_id = s.song_id AND f.artist_id = s.artist_id
WHERE
    f.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    AND (
        u.user_id IS NULL
        OR t.start_time IS NULL
        OR ((f.song_id IS NOT NULL OR f.artist_id IS NOT NULL) AND s.song_id IS NULL)
    )
