-- Deletes what any batch says of a user by an event that is taken over, and the users that such an event decided; they are inserted again.
-- Runs after 06_songplays.sql, before publish/20_users.sql.
DELETE FROM ${schema}.user_versions
USING staged_plays AS p
WHERE
    user_versions.user_id = p.user_id
    AND user_versions.session_id = p.session_id
    AND user_versions.item_in_session = p.item_in_session
    AND user_versions.start_time = p.start_time;

DELETE FROM ${schema}.users
USING staged_plays AS p
WHERE
    users.user_id = p.user_id
    AND users.as_of_session_id = p.session_id
    AND users.as_of_item_in_session = p.item_in_session
    AND users.as_of_start_time = p.start_time;
