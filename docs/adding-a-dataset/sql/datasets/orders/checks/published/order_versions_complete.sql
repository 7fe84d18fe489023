-- Every staged version is among the batch's, by order and time. Runs in the publish transaction of orders.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${order_stage} AS s
LEFT JOIN (
    SELECT DISTINCT
        v.order_id,
        v.updated_at
    FROM ${schema}.order_versions AS v
    WHERE v.load_id = '${load_id}' AND v.batch = '${batch}'
) AS m
    ON s.order_id = m.order_id AND s.updated_at = m.updated_at
WHERE m.order_id IS NULL
