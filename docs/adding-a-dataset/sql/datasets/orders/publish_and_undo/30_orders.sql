-- The row of each touched order is its newest version, whatever arrived first; of equally new versions, the one with the smaller content.
-- Runs in the publish step, and in the undo of a load that has orders.
DELETE FROM ${schema}.orders
USING touched_orders AS t
WHERE orders.order_id = t.order_id;

INSERT INTO ${schema}.orders (
    order_id, updated_at, created_at, status, customer_id, currency, total, coupon_code, load_id, batch
)
SELECT
    w.order_id,
    w.updated_at,
    w.created_at,
    w.status,
    w.customer_id,
    w.currency,
    w.total,
    w.coupon_code,
    w.load_id,
    w.batch
FROM (
    SELECT
        v.*,
        ROW_NUMBER() OVER (
            PARTITION BY v.order_id
            ORDER BY
                v.updated_at DESC,
                v.created_at ASC NULLS FIRST, v.status ASC NULLS FIRST, v.customer_id ASC NULLS FIRST,
                v.currency ASC NULLS FIRST, v.total ASC NULLS FIRST, v.coupon_code ASC NULLS FIRST,
                v.load_id ASC, v.batch ASC
        ) AS place
    FROM ${schema}.order_versions AS v
    WHERE v.order_id IN (SELECT t.order_id FROM touched_orders AS t)
) AS w
WHERE w.place = 1;
