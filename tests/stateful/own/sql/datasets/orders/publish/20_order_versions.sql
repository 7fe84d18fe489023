-- The versions of this batch, each once. Runs in the publish step, after reload/ in a reload.
INSERT INTO ${schema}.order_versions (
    order_id, updated_at, created_at, status, customer_id, currency, total, coupon_code,
    customer_email, gift_message, items, load_id, batch
)
SELECT DISTINCT
    s.order_id,
    s.updated_at,
    s.created_at,
    s.status,
    s.customer_id,
    s.currency,
    s.total,
    s.coupon_code,
    s.customer_email,
    s.gift_message,
    s.items,
    CAST('${load_id}' AS VARCHAR(64)),
    CAST('${batch}' AS VARCHAR(64))
FROM ${loader_schema}.${order_stage} AS s;
