-- Deletes what an earlier attempt of this batch said of its songs. Runs after sql/publish/again.sql.
DELETE FROM ${schema}.song_versions
WHERE load_id = '${load_id}' AND batch = '${batch}';
