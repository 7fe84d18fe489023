-- Every song of a play is in songs, with the play's artist. Runs in the publish transaction of log files, over their range of time.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${schema}.songplays AS f
LEFT JOIN ${schema}.songs AS d ON f.song_id = d.song_id AND f.artist_id = d.artist_id
WHERE
    f.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    AND (f.song_id IS NOT NULL OR f.artist_id IS NOT NULL)
    AND d.song_id IS NULL
