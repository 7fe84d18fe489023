-- What undo of a load deletes of orders. Orders have no range of time. Runs after undo/look.sql, if the load has orders.
SELECT
    CAST('order_versions' AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM ${schema}.order_versions
WHERE load_id = '${undone_load}'
UNION ALL
SELECT
    CAST('orders' AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM ${schema}.orders
WHERE load_id = '${undone_load}'
UNION ALL
SELECT
    CAST('order_items' AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM ${schema}.order_items
WHERE load_id = '${undone_load}'
