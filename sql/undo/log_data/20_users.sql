-- The users that the load decided are decided anew, by the newest event that the other batches have of them.
-- Runs in the undo of a load.
DELETE FROM ${schema}.user_versions
WHERE load_id = :undone_load;

DELETE FROM ${schema}.users
WHERE load_id = :undone_load;

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
    WHERE NOT EXISTS (
        SELECT 1 FROM ${schema}.users AS u
        WHERE u.user_id = v.user_id
    )
) AS w
WHERE w.place = 1;
