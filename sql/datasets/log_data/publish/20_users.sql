-- The users of this batch. user_versions gets what the batch says of each: its newest event (then session, then item). Runs in the publish
-- step.
INSERT INTO ${schema}.user_versions (
    user_id, first_name, last_name, gender, level, start_time, session_id, item_in_session, load_id, batch
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
    CAST('${load_id}' AS VARCHAR(64)),
    CAST('${batch}' AS VARCHAR(64))
FROM (
    SELECT
        e.user_id, e.first_name, e.last_name, e.gender, e.level, e.ts, e.session_id, e.item_in_session,
        ROW_NUMBER() OVER (
            PARTITION BY e.user_id
            ORDER BY
                e.ts DESC, e.session_id DESC, e.item_in_session DESC,
                e.level ASC NULLS FIRST, e.first_name ASC NULLS FIRST, e.last_name ASC NULLS FIRST, e.gender ASC NULLS FIRST
        ) AS place
    FROM ${loader_schema}.${event_stage} AS e
    WHERE e.page = 'NextSong'
) AS w
WHERE w.place = 1;

-- A user's row comes from the user's newest event, whatever arrives first: the rows for which this batch has a newer event are deleted and
-- inserted again.
DELETE FROM ${schema}.users
WHERE user_id IN (
    SELECT w.user_id
    FROM (
        SELECT
            c.user_id,
            c.is_new,
            ROW_NUMBER() OVER (
                PARTITION BY c.user_id
                ORDER BY
                    c.start_time DESC, c.session_id DESC, c.item_in_session DESC,
                    c.level ASC NULLS FIRST, c.first_name ASC NULLS FIRST, c.last_name ASC NULLS FIRST,
                    c.gender ASC NULLS FIRST, c.is_new ASC
            ) AS place
        FROM (
            SELECT
                u.user_id, u.first_name, u.last_name, u.gender, u.level,
                u.as_of_start_time AS start_time,
                u.as_of_session_id AS session_id,
                u.as_of_item_in_session AS item_in_session,
                0 AS is_new
            FROM ${schema}.users AS u
            INNER JOIN ${schema}.user_versions AS o ON u.user_id = o.user_id
            WHERE o.load_id = '${load_id}' AND o.batch = '${batch}'
            UNION ALL
            SELECT
                v.user_id, v.first_name, v.last_name, v.gender, v.level,
                v.start_time, v.session_id, v.item_in_session,
                1 AS is_new
            FROM ${schema}.user_versions AS v
            WHERE v.load_id = '${load_id}' AND v.batch = '${batch}'
        ) AS c
    ) AS w
    WHERE w.place = 1 AND w.is_new = 1
);

INSERT INTO ${schema}.users (
    user_id, first_name, last_name, gender, level,
    as_of_start_time, as_of_session_id, as_of_item_in_session, load_id, batch
)
SELECT
    v.user_id,
    v.first_name,
    v.last_name,
    v.gender,
    v.level,
    v.start_time,
    v.session_id,
    v.item_in_session,
    v.load_id,
    v.batch
FROM ${schema}.user_versions AS v
LEFT JOIN ${schema}.users AS u ON v.user_id = u.user_id
WHERE
    v.load_id = '${load_id}'
    AND v.batch = '${batch}'
    AND u.user_id IS NULL;
