-- The items of each touched order, as its row has them now. COPY leaves an array in a VARCHAR column as its text; as SUPER it is unnested
-- (docs.aws.amazon.com/redshift/latest/dg/query-super.html#unnest). Runs after 30_orders.sql, in the publish step and in the undo of a load
-- that has orders.
DELETE FROM ${schema}.order_items
USING touched_orders AS t
WHERE order_items.order_id = t.order_id;

INSERT INTO ${schema}.order_items (order_id, place, sku, quantity, price, load_id, batch)
SELECT
    o.order_id,
    CAST(i_place AS INTEGER),
    CAST(i.sku AS VARCHAR(64)),
    CAST(i.qty AS INTEGER),
    CAST(i.price AS DECIMAL(12, 2)),
    o.load_id,
    o.batch
FROM (
    SELECT
        w.order_id,
        w.load_id,
        w.batch,
        JSON_PARSE(w.items) AS items
    FROM ${schema}.orders AS w
    WHERE w.order_id IN (SELECT t.order_id FROM touched_orders AS t)
) AS o, o.items AS i AT i_place;
