-- The fact: NextSong events that are not there yet, by the event's key, with the song they match: of equal songs the smallest
-- song_id, so that no play is doubled. Blanks at the end do not count in Redshift's comparisons, as RTRIM says.
-- Runs in the publish step, last of the dataset.
INSERT INTO ${schema}.songplays (
    start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, title, artist_name, length, load_id, batch
)
SELECT
    p.ts,
    p.user_id,
    p.level,
    m.song_id,
    m.artist_id,
    p.session_id,
    p.location,
    p.user_agent,
    p.item_in_session,
    p.song,
    p.artist,
    p.length,
    CAST(:load_id AS VARCHAR(64)),
    CAST(:batch AS VARCHAR(64))
FROM (
    SELECT
        e.*,
        ROW_NUMBER() OVER (
            PARTITION BY e.user_id, e.session_id, e.item_in_session, e.ts
            ORDER BY
                e.level ASC NULLS FIRST, e.song ASC NULLS FIRST, e.artist ASC NULLS FIRST,
                e.length ASC NULLS FIRST, e.location ASC NULLS FIRST, e.user_agent ASC NULLS FIRST
        ) AS copy_number
    FROM ${schema}.${event_stage} AS e
    WHERE e.page = 'NextSong'
) AS p
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
) AS m
    ON RTRIM(p.song) = m.title AND RTRIM(p.artist) = m.artist_name AND p.length = m.duration AND m.place = 1
WHERE
    p.copy_number = 1
    AND NOT EXISTS (
        SELECT 1
        FROM ${schema}.songplays AS f
        WHERE
            f.user_id = p.user_id
            AND f.session_id = p.session_id
            AND f.item_in_session = p.item_in_session
            AND f.start_time = p.ts
            AND f.start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
    );
