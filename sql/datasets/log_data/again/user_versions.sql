-- What an earlier attempt of this batch said of its users goes. Runs after publish/again.sql.
DELETE FROM ${schema}.user_versions
WHERE load_id = '${load_id}' AND batch = '${batch}';
