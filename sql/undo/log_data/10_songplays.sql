-- The facts of the load go; those that they had replaced come back. A time that no play has any more goes with them.
-- Runs in the undo of a load.
DELETE FROM ${schema}.songplay_versions
WHERE load_id = :undone_load;

INSERT INTO ${schema}.songplays (
    start_time, user_id, level, session_id, location, user_agent, item_in_session,
    title, artist_name, length, load_id, batch
)
SELECT
    w.start_time, w.user_id, w.level, w.session_id, w.location, w.user_agent, w.item_in_session,
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
    WHERE f.load_id = :undone_load
) AS w
WHERE w.place = 1;

DELETE FROM ${schema}.songplay_versions
WHERE EXISTS (
    SELECT 1
    FROM ${schema}.songplays AS f
    WHERE
        f.user_id = songplay_versions.user_id
        AND f.session_id = songplay_versions.session_id
        AND f.item_in_session = songplay_versions.item_in_session
        AND f.start_time = songplay_versions.start_time
        AND f.load_id = songplay_versions.load_id
        AND f.batch = songplay_versions.batch
);

DELETE FROM ${schema}.time
WHERE start_time IN (
    SELECT f.start_time
    FROM ${schema}.songplays AS f
    GROUP BY f.start_time
    HAVING MAX(CASE WHEN f.load_id = :undone_load THEN 0 ELSE 1 END) = 0
);

DELETE FROM ${schema}.songplays
WHERE load_id = :undone_load;
