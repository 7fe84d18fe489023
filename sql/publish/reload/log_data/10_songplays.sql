-- A reload takes the events of its files over, by key, from whatever load has them. A load that has other files with such an event
-- (it left out doubles of its own, or none of its files is replaced) has it under this load from now on: noted, so that undo of
-- this load is refused. Runs before publish/log_data/.
INSERT INTO ${schema}.left_out (load_id, batch, dataset, of_load_id, left_rows)
SELECT
    f.load_id,
    f.batch,
    CAST(:dataset AS VARCHAR(64)),
    CAST(:load_id AS VARCHAR(64)),
    COUNT(*)
FROM ${schema}.songplays AS f
WHERE
    f.start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
    AND f.load_id <> :load_id
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
GROUP BY f.load_id, f.batch;

-- Whoever left out events of a load that is taken over may have left out those of this one.
INSERT INTO ${schema}.left_out (load_id, batch, dataset, of_load_id, left_rows)
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
        SELECT f.load_id
        FROM ${schema}.songplays AS f
        INNER JOIN ${schema}.${event_stage} AS e
            ON
                f.user_id = e.user_id
                AND f.session_id = e.session_id
                AND f.item_in_session = e.item_in_session
                AND f.start_time = e.ts
        WHERE
            f.start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
            AND f.load_id <> :load_id
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
