-- Deletes the versions of an earlier attempt of the batch; the orders are decided again by the versions that the batch then adds. Runs
-- after sql/publish/again.sql.
DELETE FROM ${schema}.order_versions
WHERE load_id = '${load_id}' AND batch = '${batch}';
