-- Every version has its order and the time of its update. Runs after COPY of orders.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${order_stage}
WHERE order_id IS NULL OR TRIM(order_id) = '' OR updated_at IS NULL
