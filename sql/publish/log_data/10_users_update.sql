-- A user is the row of the newest event (then session, then item), whatever arrives first. Runs in the publish step.
UPDATE ${schema}.users
SET
    first_name = w.first_name,
    last_name = w.last_name,
    gender = w.gender,
    level = w.level,
    as_of_start_time = w.ts,
    as_of_session_id = w.session_id,
    as_of_item_in_session = w.item_in_session,
    load_id = :load_id,
    batch = :batch
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
    AND users.user_id = w.user_id
    AND (
        w.ts > users.as_of_start_time
        OR (w.ts = users.as_of_start_time AND w.session_id > users.as_of_session_id)
        OR (
            w.ts = users.as_of_start_time
            AND w.session_id = users.as_of_session_id
            AND w.item_in_session > users.as_of_item_in_session
        )
    );
