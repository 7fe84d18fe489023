-- Two files with one event (by its key): the smaller content wins, whatever arrives first. The facts that a staged event replaces
-- are kept aside, for an undo of this load, and go. Runs in the publish step, before 40_songplays.sql.
INSERT INTO ${schema}.songplay_versions (
    start_time, user_id, level, session_id, location, user_agent, item_in_session,
    title, artist_name, length, load_id, batch
)
SELECT
    w.start_time, w.user_id, w.level, w.session_id, w.location, w.user_agent, w.item_in_session,
    w.title, w.artist_name, w.length, w.load_id, w.batch
FROM (
    SELECT
        c.*,
        ROW_NUMBER() OVER (
            PARTITION BY c.user_id, c.session_id, c.item_in_session, c.start_time
            ORDER BY
                c.level ASC NULLS FIRST, c.title ASC NULLS FIRST, c.artist_name ASC NULLS FIRST,
                c.length ASC NULLS FIRST, c.location ASC NULLS FIRST, c.user_agent ASC NULLS FIRST,
                c.is_staged ASC
        ) AS place
    FROM (
        SELECT
            f.start_time, f.user_id, f.level, f.session_id, f.location, f.user_agent, f.item_in_session,
            f.title, f.artist_name, f.length, f.load_id, f.batch,
            0 AS is_staged
        FROM ${schema}.songplays AS f
        WHERE
            f.start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
            AND EXISTS (
                SELECT 1
                FROM ${schema}.${event_stage} AS x
                WHERE
                    x.page = 'NextSong'
                    AND x.user_id = f.user_id
                    AND x.session_id = f.session_id
                    AND x.item_in_session = f.item_in_session
                    AND x.ts = f.start_time
            )
        UNION ALL
        SELECT
            e.ts, e.user_id, e.level, e.session_id, e.location, e.user_agent, e.item_in_session,
            e.song, e.artist, e.length,
            CAST(:load_id AS VARCHAR(64)) AS load_id,
            CAST(:batch AS VARCHAR(64)) AS batch,
            1 AS is_staged
        FROM ${schema}.${event_stage} AS e
        WHERE e.page = 'NextSong'
    ) AS c
) AS w
WHERE w.is_staged = 0 AND w.place > 1;

DELETE FROM ${schema}.songplays
WHERE
    start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
    AND EXISTS (
        SELECT 1
        FROM ${schema}.songplay_versions AS v
        WHERE
            v.user_id = songplays.user_id
            AND v.session_id = songplays.session_id
            AND v.item_in_session = songplays.item_in_session
            AND v.start_time = songplays.start_time
            AND v.load_id = songplays.load_id
            AND v.batch = songplays.batch
    );
