-- A reload deletes the versions of its own files, and no others: all versions of a batch that has no loaded file any more, and of a batch
-- with other files those that are staged again, by order and time. What other batches say of the orders stays, and decides together with
-- the versions that this batch adds. replaced_orders is a temporary table. Runs after publish/10_touched.sql.
CREATE TEMPORARY TABLE replaced_orders
DISTKEY (order_id)
AS
SELECT v.order_id, v.updated_at, v.load_id, v.batch, b.others
FROM ${schema}.order_versions AS v
INNER JOIN (
    SELECT
        f.load_id,
        f.batch,
        SUM(CASE WHEN f.status = 'loaded' THEN 1 ELSE 0 END) AS others
    FROM ${schema}.files AS f
    INNER JOIN (
        SELECT DISTINCT
            r.load_id,
            r.batch
        FROM ${schema}.files AS r
        INNER JOIN ${schema}.files AS mine
            ON r.bucket = mine.bucket AND r.key = mine.key AND r.etag = mine.etag
        WHERE
            mine.load_id = '${load_id}'
            AND mine.batch = '${batch}'
            AND mine.status = 'loaded'
            AND r.status = 'replaced'
    ) AS d
        ON f.load_id = d.load_id AND f.batch = d.batch
    GROUP BY f.load_id, f.batch
) AS b
    ON v.load_id = b.load_id AND v.batch = b.batch
LEFT JOIN (
    SELECT DISTINCT
        s.order_id,
        s.updated_at
    FROM ${loader_schema}.${order_stage} AS s
) AS n
    ON v.order_id = n.order_id AND v.updated_at = n.updated_at
WHERE b.others = 0 OR n.order_id IS NOT NULL;

INSERT INTO touched_orders (order_id, was, was_load, was_batch)
SELECT DISTINCT
    r.order_id,
    o.updated_at,
    o.load_id,
    o.batch
FROM replaced_orders AS r
INNER JOIN ${schema}.orders AS o ON r.order_id = o.order_id
LEFT JOIN touched_orders AS t ON r.order_id = t.order_id
WHERE t.order_id IS NULL;

-- A row that was one of these versions may become older, because its own file says so. No other row may (orders_not_older).
UPDATE touched_orders
SET was = NULL
FROM replaced_orders AS r
WHERE
    touched_orders.order_id = r.order_id
    AND touched_orders.was = r.updated_at
    AND touched_orders.was_load = r.load_id
    AND touched_orders.was_batch = r.batch;

-- A batch that had a version twice may have it in a file that is not reloaded: undo of this load would lose it, and is refused.
INSERT INTO ${schema}.left_out (load_id, batch, dataset, of_load_id, left_rows)
SELECT
    r.load_id,
    r.batch,
    CAST('${dataset}' AS VARCHAR(64)),
    CAST('${load_id}' AS VARCHAR(64)),
    COUNT(*)
FROM replaced_orders AS r
INNER JOIN ${schema}.left_out AS o
    ON r.load_id = o.load_id AND r.batch = o.batch AND r.load_id = o.of_load_id AND o.dataset = '${dataset}'
WHERE r.others > 0 AND r.load_id <> '${load_id}'
GROUP BY r.load_id, r.batch
UNION ALL
SELECT
    l.load_id,
    l.batch,
    l.dataset,
    CAST('${load_id}' AS VARCHAR(64)),
    l.left_rows
FROM ${schema}.left_out AS l
WHERE
    l.dataset = '${dataset}'
    AND l.load_id <> l.of_load_id
    AND l.load_id <> '${load_id}'
    AND l.of_load_id IN (SELECT q.load_id FROM replaced_orders AS q);

DELETE FROM ${schema}.order_versions
USING replaced_orders AS r
WHERE
    order_versions.order_id = r.order_id
    AND order_versions.updated_at = r.updated_at
    AND order_versions.load_id = r.load_id
    AND order_versions.batch = r.batch;
