-- Deletes what an earlier attempt of this batch said of its users. Runs after sql/publish/again.sql.
DELETE FROM ${schema}.user_versions
WHERE load_id = '${load_id}' AND batch = '${batch}';
