-- The batch's versions of an earlier attempt go; the orders are decided anew by those that it then adds. Runs after
-- publish/again.sql.
DELETE FROM ${schema}.order_versions
WHERE load_id = '${load_id}' AND batch = '${batch}';
