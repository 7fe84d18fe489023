-- A reload mends what any batch says of a user by one of its events, and takes out the users who were decided by one, to insert
-- them anew. Runs before publish/log_data/.
UPDATE ${schema}.user_versions
SET first_name = e.first_name, last_name = e.last_name, gender = e.gender, level = e.level
FROM (
    SELECT
        n.*,
        ROW_NUMBER() OVER (
            PARTITION BY n.user_id, n.session_id, n.item_in_session, n.ts
            ORDER BY n.level ASC NULLS FIRST, n.first_name ASC NULLS FIRST, n.last_name ASC NULLS FIRST, n.gender ASC NULLS FIRST
        ) AS place
    FROM ${schema}.${event_stage} AS n
    WHERE n.page = 'NextSong'
) AS e
WHERE
    e.place = 1
    AND user_versions.user_id = e.user_id
    AND user_versions.session_id = e.session_id
    AND user_versions.item_in_session = e.item_in_session
    AND user_versions.start_time = e.ts;

DELETE FROM ${schema}.users
WHERE EXISTS (
    SELECT 1
    FROM ${schema}.${event_stage} AS e
    WHERE
        e.page = 'NextSong'
        AND e.user_id = users.user_id
        AND e.session_id = users.as_of_session_id
        AND e.item_in_session = users.as_of_item_in_session
        AND e.ts = users.as_of_start_time
);
