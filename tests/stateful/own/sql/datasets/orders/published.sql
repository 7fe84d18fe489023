-- The rows that a batch of orders wrote: its versions, and the orders whose row is one of them. Runs in the publish step, as a part of
-- publish/figures.sql.
SELECT
    CAST('rows' AS VARCHAR(16)) AS kind,
    CAST('order_versions' AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    CAST(NULL AS BIGINT) AS expected
FROM ${schema}.order_versions
WHERE load_id = '${load_id}' AND batch = '${batch}'
UNION ALL
SELECT
    CAST('rows' AS VARCHAR(16)) AS kind,
    CAST('orders' AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    CAST(NULL AS BIGINT) AS expected
FROM ${schema}.orders
WHERE load_id = '${load_id}' AND batch = '${batch}'
UNION ALL
SELECT
    CAST('rows' AS VARCHAR(16)) AS kind,
    CAST('order_items' AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    CAST(NULL AS BIGINT) AS expected
FROM ${schema}.order_items
WHERE load_id = '${load_id}' AND batch = '${batch}'
