-- No version of the undone load is left, no order that it decided, and no order without a version. Runs in the undo of a load that has
-- orders.
SELECT
    v.versions + o.orders + n.orders AS figure,
    0 AS expected
FROM (
    SELECT COUNT(*) AS versions FROM ${schema}.order_versions
    WHERE load_id = '${undone_load}'
) AS v
CROSS JOIN (
    SELECT COUNT(*) AS orders FROM ${schema}.orders
    WHERE load_id = '${undone_load}'
) AS o
CROSS JOIN (
    SELECT COUNT(*) AS orders
    FROM ${schema}.orders AS a
    LEFT JOIN ${schema}.order_versions AS b ON a.order_id = b.order_id
    WHERE b.order_id IS NULL AND a.order_id IN (SELECT t.order_id FROM touched_orders AS t)
) AS n
