-- Deletes the load's versions. touched_orders, a temporary table, has their orders: publish_and_undo/30_orders.sql decides them again from
-- the versions that are left. Runs in the undo of a load that has orders.
CREATE TEMPORARY TABLE touched_orders
DISTKEY (order_id)
AS
SELECT DISTINCT v.order_id
FROM ${schema}.order_versions AS v
WHERE v.load_id = '${undone_load}';

DELETE FROM ${schema}.order_versions
WHERE load_id = '${undone_load}';
