-- No order is gone, and none has become older than it was, unless its version came from a file that is loaded again: a reload of an old
-- file must not undo what other files say of an order. Runs in the publish transaction of orders.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM touched_orders AS t
LEFT JOIN ${schema}.orders AS o ON t.order_id = o.order_id
WHERE t.was IS NOT NULL AND (o.order_id IS NULL OR o.updated_at < t.was)
