-- The orders that this batch touches, and what each was before: when it was updated, and by which batch. A temporary table. Runs first of
-- the dataset; a reload adds the orders whose versions it deletes.
CREATE TEMPORARY TABLE touched_orders
DISTKEY (order_id)
AS
SELECT
    k.order_id,
    o.updated_at AS was,
    o.load_id AS was_load,
    o.batch AS was_batch
FROM (
    SELECT DISTINCT s.order_id
    FROM ${loader_schema}.${order_stage} AS s
) AS k
LEFT JOIN ${schema}.orders AS o ON k.order_id = o.order_id;
