-- Late and changed songs: a play that matches what one of changed_songs is or was called gets the song of that title, artist and duration;
-- of several equal songs, the one with the smallest song_id. No other play is touched. Runs in the publish step and in the undo of a load
-- that has song files, last of the dataset.
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
