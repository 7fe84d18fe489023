-- Each order that the load had touched has the row of the newest version that is left. Runs in the undo of a load that has orders.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM (
    SELECT
        v.order_id,
        MAX(v.updated_at) AS newest
    FROM ${schema}.order_versions AS v
    WHERE v.order_id IN (SELECT t.order_id FROM touched_orders AS t)
    GROUP BY v.order_id
) AS m
LEFT JOIN ${schema}.orders AS o ON m.order_id = o.order_id
WHERE o.order_id IS NULL OR o.updated_at <> m.newest
