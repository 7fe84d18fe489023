-- Deletes the load's facts. The facts that they had replaced come back, with the song that they match now, and a time that no play has any
-- more is deleted. Runs in the undo of a load that has log files.
DELETE FROM ${schema}.songplay_versions
WHERE load_id = '${undone_load}';

INSERT INTO ${schema}.songplays (
    start_time, user_id, level, song_id, artist_id, session_id, location, user_agent, item_in_session,
    title, artist_name, length, load_id, batch
)
SELECT
    w.start_time, w.user_id, w.level, m.song_id, m.artist_id, w.session_id, w.location, w.user_agent, w.item_in_session,
    w.title, w.artist_name, w.length, w.load_id, w.batch
FROM (
    SELECT
        v.*,
        ROW_NUMBER() OVER (
            PARTITION BY v.user_id, v.session_id, v.item_in_session, v.start_time
            ORDER BY
                v.level ASC NULLS FIRST, v.title ASC NULLS FIRST, v.artist_name ASC NULLS FIRST,
                v.length ASC NULLS FIRST, v.location ASC NULLS FIRST, v.user_agent ASC NULLS FIRST,
                v.load_id ASC, v.batch ASC
        ) AS place
    FROM ${schema}.songplay_versions AS v
    INNER JOIN ${schema}.songplays AS f
        ON
            v.user_id = f.user_id
            AND v.session_id = f.session_id
            AND v.item_in_session = f.item_in_session
            AND v.start_time = f.start_time
    WHERE
        f.load_id = '${undone_load}'
        AND f.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
) AS w
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
    WHERE
        s.duration IN (
            SELECT k.length FROM ${schema}.songplay_versions AS k
            WHERE k.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
        )
) AS m
    ON RTRIM(w.title) = m.title AND RTRIM(w.artist_name) = m.artist_name AND w.length = m.duration AND m.place = 1
WHERE w.place = 1;

DELETE FROM ${schema}.songplay_versions
USING ${schema}.songplays AS f
WHERE
    f.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    AND songplay_versions.user_id = f.user_id
    AND songplay_versions.session_id = f.session_id
    AND songplay_versions.item_in_session = f.item_in_session
    AND songplay_versions.start_time = f.start_time
    AND songplay_versions.load_id = f.load_id
    AND songplay_versions.batch = f.batch;

DELETE FROM ${schema}.time
WHERE start_time IN (
    SELECT f.start_time
    FROM ${schema}.songplays AS f
    WHERE f.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    GROUP BY f.start_time
    HAVING MAX(CASE WHEN f.load_id = '${undone_load}' THEN 0 ELSE 1 END) = 0
);

DELETE FROM ${schema}.songplays
WHERE
    load_id = '${undone_load}'
    AND start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}';
