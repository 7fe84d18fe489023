-- The users that the load decided are decided again, by the newest event that the other batches have of them. undone_users is a temporary
-- table. Runs in the undo of a load that has log files.
CREATE TEMPORARY TABLE undone_users
AS
SELECT u.user_id
FROM ${schema}.users AS u
WHERE u.load_id = '${undone_load}';

DELETE FROM ${schema}.user_versions
WHERE load_id = '${undone_load}';

DELETE FROM ${schema}.users
WHERE load_id = '${undone_load}';

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
    w.start_time,
    w.session_id,
    w.item_in_session,
    w.load_id,
    w.batch
FROM (
    SELECT
        v.*,
        ROW_NUMBER() OVER (
            PARTITION BY v.user_id
            ORDER BY
                v.start_time DESC, v.session_id DESC, v.item_in_session DESC,
                v.level ASC NULLS FIRST, v.first_name ASC NULLS FIRST, v.last_name ASC NULLS FIRST,
                v.gender ASC NULLS FIRST, v.load_id ASC, v.batch ASC
        ) AS place
    FROM ${schema}.user_versions AS v
    WHERE v.user_id IN (SELECT d.user_id FROM undone_users AS d)
) AS w
WHERE w.place = 1;
