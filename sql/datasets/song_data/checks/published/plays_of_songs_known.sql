-- After songs were added or changed, each of them that a play has is in songs, with the play's artist. Runs in the publish transaction of
-- song files, over the songs that changed.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${schema}.songplays AS f
LEFT JOIN ${schema}.songs AS d ON f.song_id = d.song_id AND f.artist_id = d.artist_id
WHERE
    f.song_id IN (SELECT c.song_id FROM changed_songs AS c)
    AND d.song_id IS NULL
