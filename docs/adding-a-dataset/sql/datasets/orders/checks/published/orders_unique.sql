-- No order that the batch touches exists twice. Runs in the publish transaction of orders.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM (
    SELECT o.order_id
    FROM ${schema}.orders AS o
    WHERE o.order_id IN (SELECT t.order_id FROM touched_orders AS t)
    GROUP BY o.order_id
    HAVING COUNT(*) > 1
) AS doubled
