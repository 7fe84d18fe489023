-- Records versions that this batch has more than once: a reload of one of their files takes the version from the others, and its undo
-- would lose it. Nothing is left out between batches: order_versions has each batch's. Runs in the publish step, last of the dataset.
INSERT INTO ${schema}.left_out (load_id, batch, dataset, of_load_id, left_rows)
SELECT
    CAST('${load_id}' AS VARCHAR(64)),
    CAST('${batch}' AS VARCHAR(64)),
    CAST('${dataset}' AS VARCHAR(64)),
    CAST('${load_id}' AS VARCHAR(64)),
    d.left_rows
FROM (
    SELECT SUM(c.copies - 1) AS left_rows
    FROM (
        SELECT COUNT(*) AS copies
        FROM ${loader_schema}.${order_stage} AS s
        GROUP BY s.order_id, s.updated_at
    ) AS c
) AS d
WHERE d.left_rows > 0;
