-- A reload deletes the users whose newest event is one of its own, to insert them anew. Runs before publish/log_data/.
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
