-- Each touched order has as many items as its row says, and no item is without an order. Runs in the undo of a load that has orders.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM (
    SELECT
        t.order_id,
        MAX(CASE WHEN o.order_id IS NULL THEN 0 ELSE COALESCE(GET_ARRAY_LENGTH(JSON_PARSE(o.items)), 0) END) AS wanted,
        MAX(COALESCE(n.items, 0)) AS items
    FROM touched_orders AS t
    LEFT JOIN ${schema}.orders AS o ON t.order_id = o.order_id
    LEFT JOIN (
        SELECT
            c.order_id,
            COUNT(*) AS items
        FROM ${schema}.order_items AS c
        WHERE c.order_id IN (SELECT t.order_id FROM touched_orders AS t)
        GROUP BY c.order_id
    ) AS n ON t.order_id = n.order_id
    GROUP BY t.order_id
) AS m
WHERE m.wanted <> m.items
