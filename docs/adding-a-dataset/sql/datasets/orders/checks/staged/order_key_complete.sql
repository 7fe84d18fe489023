-- Every version says its order and when it was updated. Runs after COPY of orders.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${order_stage}
WHERE order_id IS NULL OR TRIM(order_id) = '' OR updated_at IS NULL
