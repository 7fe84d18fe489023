-- What this batch says of its users: the newest event of each (then session, then item). Runs in the publish step.
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
