-- Records the staged events that are in the fact table as rows of another load, by that load: its undo would lose them, and is refused.
-- Runs in the publish step, last of the dataset.
INSERT INTO ${schema}.left_out (load_id, batch, dataset, of_load_id, left_rows)
SELECT
    CAST('${load_id}' AS VARCHAR(64)),
    CAST('${batch}' AS VARCHAR(64)),
    CAST('${dataset}' AS VARCHAR(64)),
    d.load_id,
    d.left_rows
FROM (
    SELECT
        f.load_id,
        SUM(p.copies - CASE WHEN f.load_id = '${load_id}' AND f.batch = '${batch}' THEN 1 ELSE 0 END) AS left_rows
    FROM staged_plays AS p
    INNER JOIN ${schema}.songplays AS f
        ON
            p.user_id = f.user_id
            AND p.session_id = f.session_id
            AND p.item_in_session = f.item_in_session
            AND p.start_time = f.start_time
    WHERE f.start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
    GROUP BY f.load_id
) AS d
WHERE d.left_rows > 0;
