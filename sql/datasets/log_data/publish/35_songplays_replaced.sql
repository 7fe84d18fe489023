-- If two files have one event (by its key), the smaller content wins, whatever arrives first. The facts that a staged event replaces are
-- kept for an undo of this load, and deleted. Runs in the publish step, before 40_songplays.sql.
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
        INNER JOIN staged_plays AS x
            ON
                f.user_id = x.user_id
                AND f.session_id = x.session_id
                AND f.item_in_session = x.item_in_session
                AND f.start_time = x.start_time
        WHERE f.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
        UNION ALL
        SELECT
            p.start_time, p.user_id, p.level, p.session_id, p.location, p.user_agent, p.item_in_session,
            p.title, p.artist_name, p.length,
            CAST('${load_id}' AS VARCHAR(64)) AS load_id,
            CAST('${batch}' AS VARCHAR(64)) AS batch,
            1 AS is_staged
        FROM staged_plays AS p
    ) AS c
) AS w
WHERE w.is_staged = 0 AND w.place > 1;

DELETE FROM ${schema}.songplays
USING ${schema}.songplay_versions AS v
WHERE
    songplays.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    AND songplays.user_id = v.user_id
    AND songplays.session_id = v.session_id
    AND songplays.item_in_session = v.item_in_session
    AND songplays.start_time = v.start_time
    AND songplays.load_id = v.load_id
    AND songplays.batch = v.batch;
