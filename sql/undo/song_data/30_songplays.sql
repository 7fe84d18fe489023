-- Plays that wait for a song, because it came back or because theirs has gone, get it: of equal songs the smallest song_id.
-- Runs in the undo of a load, last of the datasets.
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
) AS m
WHERE
    m.place = 1
    AND RTRIM(songplays.title) = m.title
    AND RTRIM(songplays.artist_name) = m.artist_name
    AND songplays.length = m.duration
    AND (
        songplays.song_id IS NULL
        OR songplays.song_id <> m.song_id
        OR songplays.artist_id <> m.artist_id
    );
