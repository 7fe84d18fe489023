-- After songs came or were replaced, every song that any play names is in songs. Runs in the publish transaction of song files.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${schema}.songplays AS f
LEFT JOIN ${schema}.songs AS d ON f.song_id = d.song_id AND f.artist_id = d.artist_id
WHERE
    (f.song_id IS NOT NULL OR f.artist_id IS NOT NULL)
    AND d.song_id IS NULL
