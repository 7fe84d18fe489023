-- A song that a play still has is in songs, with the play's artist, and so is the song that decided an artist. Runs in the undo of a load
-- that has song files, over the songs that it had decided.
SELECT
    f.plays + a.artists AS figure,
    0 AS expected
FROM (
    SELECT COUNT(*) AS plays
    FROM ${schema}.songplays AS p
    LEFT JOIN ${schema}.songs AS s ON p.song_id = s.song_id AND p.artist_id = s.artist_id
    WHERE
        p.song_id IN (SELECT d.song_id FROM changed_songs AS d)
        AND s.song_id IS NULL
) AS f
CROSS JOIN (
    SELECT COUNT(*) AS artists
    FROM ${schema}.artists AS b
    LEFT JOIN ${schema}.songs AS t ON b.as_of_song_id = t.song_id AND b.artist_id = t.artist_id
    WHERE t.song_id IS NULL
) AS a
