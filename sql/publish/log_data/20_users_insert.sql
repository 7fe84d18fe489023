-- Users seen for the first time, by their newest event of the batch. Runs in the publish step.
INSERT INTO ${schema}.users (
    user_id, first_name, last_name, gender, level,
    as_of_start_time, as_of_session_id, as_of_item_in_session, load_id, batch
)
SELECT
    w.user_id,
    w.first_name,
    w.last_name,
    w.gender,
    w.level,
    w.ts,
    w.session_id,
    w.item_in_session,
    CAST(:load_id AS VARCHAR(64)),
    CAST(:batch AS VARCHAR(64))
FROM (
    SELECT
        e.*,
        ROW_NUMBER() OVER (
            PARTITION BY e.user_id
            ORDER BY
                e.ts DESC, e.session_id DESC, e.item_in_session DESC,
                e.level ASC, e.first_name ASC, e.last_name ASC, e.gender ASC
        ) AS newest
    FROM ${schema}.${event_stage} AS e
    WHERE e.page = 'NextSong'
) AS w
WHERE
    w.newest = 1
    AND NOT EXISTS (
        SELECT 1 FROM ${schema}.users AS u
        WHERE u.user_id = w.user_id
    );
