-- The staged events that are not in the fact table as this batch's rows, by the load whose rows they are: undo of that load would
-- lose them, and is refused. Runs in the publish step, last of the dataset.
INSERT INTO ${schema}.left_out (load_id, batch, dataset, of_load_id, left_rows)
SELECT
    CAST(:load_id AS VARCHAR(64)),
    CAST(:batch AS VARCHAR(64)),
    CAST(:dataset AS VARCHAR(64)),
    d.load_id,
    d.left_rows
FROM (
    SELECT
        f.load_id,
        SUM(CASE WHEN e.copy_number = 1 AND f.load_id = :load_id AND f.batch = :batch THEN 0 ELSE 1 END) AS left_rows
    FROM (
        SELECT
            n.user_id, n.session_id, n.item_in_session, n.ts,
            ROW_NUMBER() OVER (
                PARTITION BY n.user_id, n.session_id, n.item_in_session, n.ts
                ORDER BY n.level ASC NULLS FIRST
            ) AS copy_number
        FROM ${schema}.${event_stage} AS n
        WHERE n.page = 'NextSong'
    ) AS e
    INNER JOIN ${schema}.songplays AS f
        ON
            e.user_id = f.user_id
            AND e.session_id = f.session_id
            AND e.item_in_session = f.item_in_session
            AND e.ts = f.start_time
    WHERE f.start_time BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
    GROUP BY f.load_id
) AS d
WHERE d.left_rows > 0;
