-- Late and changed songs: a play that a changed song had, or that matches what a changed song is or was called, gets of all equal songs
-- the smallest song_id, or none; no other row is touched. Runs in the publish step; only a load with songs pays for it.
UPDATE ${schema}.songplays
SET song_id = NULL, artist_id = NULL
WHERE song_id IN (SELECT o.song_id FROM old_songs AS o INNER JOIN changed_songs AS c ON o.song_id = c.song_id);

UPDATE ${schema}.songplays
SET song_id = m.song_id, artist_id = m.artist_id
FROM (
    SELECT
        s.song_id,
        s.artist_id,
        RTRIM(s.title) AS title,
        RTRIM(s.artist_name) AS artist_name,
        s.duration,
        ROW_NUMBER() OVER (
            PARTITION BY RTRIM(s.title), RTRIM(s.artist_name), s.duration ORDER BY s.song_id ASC
        ) AS place
    FROM ${schema}.songs AS s
    INNER JOIN (
        SELECT DISTINCT RTRIM(c.title) AS title, RTRIM(c.artist_name) AS artist_name, c.duration
        FROM changed_songs AS c
    ) AS k
        ON RTRIM(s.title) = k.title AND RTRIM(s.artist_name) = k.artist_name AND s.duration = k.duration
) AS m
WHERE
    m.place = 1
    AND songplays.length = m.duration
    AND RTRIM(songplays.title) = m.title
    AND RTRIM(songplays.artist_name) = m.artist_name
    AND (
        songplays.song_id IS NULL
        OR songplays.song_id <> m.song_id
        OR songplays.artist_id <> m.artist_id
    );
