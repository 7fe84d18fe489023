-- What was staged. Runs in the stage step. No statement on orders is bounded by a time: a new version may be of any old order.
SELECT
    COUNT(*) AS staged_rows,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM ${loader_schema}.${order_stage}
