-- What any batch says of a user by an event that is taken over goes, as do the users who were decided by one, to be inserted anew.
-- Runs before publish/log_data/.
DELETE FROM ${schema}.user_versions
WHERE EXISTS (
    SELECT 1
    FROM ${schema}.${event_stage} AS e
    WHERE
        e.page = 'NextSong'
        AND e.user_id = user_versions.user_id
        AND e.session_id = user_versions.session_id
        AND e.item_in_session = user_versions.item_in_session
        AND e.ts = user_versions.start_time
);

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
