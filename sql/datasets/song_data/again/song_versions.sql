-- What an earlier attempt of this batch said of its songs goes. Runs after publish/again.sql.
DELETE FROM ${schema}.song_versions
WHERE load_id = '${load_id}' AND batch = '${batch}';
