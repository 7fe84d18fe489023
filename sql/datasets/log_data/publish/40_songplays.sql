-- The fact table: inserts the staged plays that are not there yet, by the event's key, with the song they match; of several equal songs,
-- the one with the smallest song_id, so that no play is doubled. Only songs whose duration is a staged length can match. Redshift ignores
-- blanks at the end when it compares text; RTRIM makes that explicit. Runs in the publish step.
INSERT INTO ${schema}.songplays (
    start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, title, artist_name, length, load_id, batch
)
SELECT
    p.start_time,
    p.user_id,
    p.level,
    m.song_id,
    m.artist_id,
    p.session_id,
    p.location,
    p.user_agent,
    p.item_in_session,
    p.title,
    p.artist_name,
    p.length,
    CAST('${load_id}' AS VARCHAR(64)),
    CAST('${batch}' AS VARCHAR(64))
FROM staged_plays AS p
LEFT JOIN ${schema}.songplays AS f
    ON
        p.user_id = f.user_id
        AND p.session_id = f.session_id
        AND p.item_in_session = f.item_in_session
        AND p.start_time = f.start_time
        AND f.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
LEFT JOIN (
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
    WHERE s.duration IN (SELECT l.length FROM staged_plays AS l)
) AS m
    ON RTRIM(p.title) = m.title AND RTRIM(p.artist_name) = m.artist_name AND p.length = m.duration AND m.place = 1
WHERE f.start_time IS NULL;
