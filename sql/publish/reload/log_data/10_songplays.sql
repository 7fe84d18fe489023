-- A reload takes the events of its files over, by key, from whatever load has them. A load that has other files with such an event
-- has it under this load from now on: noted, so that undo of this load is refused. These are a load that doubled events of its own or
-- of which no file is replaced, one that left out events because of a load that is taken over, and one whose word on a user was
-- such an event's and which has other files in that batch. Runs before publish/log_data/.
INSERT INTO ${schema}.left_out (load_id, batch, dataset, of_load_id, left_rows)
SELECT
    f.load_id,
    f.batch,
    CAST(:dataset AS VARCHAR(64)),
    CAST(:load_id AS VARCHAR(64)),
    COUNT(*)
FROM (
    SELECT p.load_id, p.batch, p.user_id, p.session_id, p.item_in_session, p.start_time
    FROM ${schema}.songplays AS p
    WHERE p.start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
    UNION ALL
    SELECT k.load_id, k.batch, k.user_id, k.session_id, k.item_in_session, k.start_time
    FROM ${schema}.songplay_versions AS k
    WHERE k.start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
) AS f
WHERE
    f.load_id <> :load_id
    AND EXISTS (
        SELECT 1
        FROM ${schema}.${event_stage} AS e
        WHERE
            e.page = 'NextSong'
            AND e.user_id = f.user_id
            AND e.session_id = f.session_id
            AND e.item_in_session = f.item_in_session
            AND e.ts = f.start_time
    )
    AND f.load_id IN (
        SELECT l.load_id FROM ${schema}.files AS l
        WHERE l.dataset = :dataset AND l.status = 'loaded'
    )
    AND f.load_id NOT IN (
        SELECT r.load_id
        FROM ${schema}.files AS r
        INNER JOIN ${schema}.files AS mine
            ON r.bucket = mine.bucket AND r.key = mine.key AND r.etag = mine.etag
        LEFT JOIN ${schema}.left_out AS o
            ON r.load_id = o.load_id AND r.load_id = o.of_load_id AND o.dataset = :dataset
        WHERE mine.load_id = :load_id AND mine.batch = :batch AND r.status = 'replaced' AND o.load_id IS NULL
    )
GROUP BY f.load_id, f.batch
UNION ALL
SELECT
    l.load_id,
    l.batch,
    l.dataset,
    CAST(:load_id AS VARCHAR(64)),
    l.left_rows
FROM ${schema}.left_out AS l
WHERE
    l.dataset = :dataset
    AND l.load_id <> l.of_load_id
    AND l.load_id <> :load_id
    AND l.load_id IN (
        SELECT o.load_id FROM ${schema}.files AS o
        WHERE o.dataset = :dataset AND o.status = 'loaded'
    )
    AND l.of_load_id IN (
        SELECT t.load_id
        FROM (
            SELECT p.load_id, p.user_id, p.session_id, p.item_in_session, p.start_time
            FROM ${schema}.songplays AS p
            WHERE p.start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
            UNION ALL
            SELECT k.load_id, k.user_id, k.session_id, k.item_in_session, k.start_time
            FROM ${schema}.songplay_versions AS k
            WHERE k.start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
        ) AS t
        INNER JOIN ${schema}.${event_stage} AS e
            ON
                t.user_id = e.user_id
                AND t.session_id = e.session_id
                AND t.item_in_session = e.item_in_session
                AND t.start_time = e.ts
        WHERE t.load_id <> :load_id
    )
UNION ALL
SELECT
    v.load_id,
    v.batch,
    CAST(:dataset AS VARCHAR(64)),
    CAST(:load_id AS VARCHAR(64)),
    COUNT(*)
FROM ${schema}.user_versions AS v
WHERE
    v.load_id <> :load_id
    AND EXISTS (
        SELECT 1
        FROM ${schema}.${event_stage} AS e
        WHERE
            e.page = 'NextSong'
            AND e.user_id = v.user_id
            AND e.session_id = v.session_id
            AND e.item_in_session = v.item_in_session
            AND e.ts = v.start_time
    )
    AND EXISTS (
        SELECT 1
        FROM ${schema}.files AS l
        WHERE l.load_id = v.load_id AND l.batch = v.batch AND l.status = 'loaded'
    )
GROUP BY v.load_id, v.batch;

DELETE FROM ${schema}.songplay_versions
WHERE
    start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
    AND EXISTS (
        SELECT 1
        FROM ${schema}.${event_stage} AS e
        WHERE
            e.page = 'NextSong'
            AND e.user_id = songplay_versions.user_id
            AND e.session_id = songplay_versions.session_id
            AND e.item_in_session = songplay_versions.item_in_session
            AND e.ts = songplay_versions.start_time
    );

DELETE FROM ${schema}.songplays
WHERE
    start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
    AND EXISTS (
        SELECT 1
        FROM ${schema}.${event_stage} AS e
        WHERE
            e.user_id = songplays.user_id
            AND e.session_id = songplays.session_id
            AND e.item_in_session = songplays.item_in_session
            AND e.ts = songplays.start_time
    );
