-- Every song's artist is in artists, and every artist is decided by one of its songs. Runs in the publish transaction of song files.
SELECT
    w.songs + d.artists AS figure,
    0 AS expected
FROM (
    SELECT COUNT(*) AS songs
    FROM ${schema}.songs AS s
    LEFT JOIN ${schema}.artists AS a ON s.artist_id = a.artist_id
    WHERE a.artist_id IS NULL
) AS w
CROSS JOIN (
    SELECT COUNT(*) AS artists
    FROM ${schema}.artists AS b
    LEFT JOIN ${schema}.songs AS t ON b.as_of_song_id = t.song_id AND b.artist_id = t.artist_id
    WHERE t.song_id IS NULL
) AS d
