-- The rows that a batch of song files wrote, by table. Runs in the publish step, as a part of publish/figures.sql.
SELECT CAST('rows' AS VARCHAR(16)) AS kind, CAST('songs' AS VARCHAR(128)) AS name, COUNT(*) AS figure, CAST(NULL AS BIGINT) AS expected
FROM ${schema}.songs
WHERE load_id = '${load_id}' AND batch = '${batch}'
UNION ALL
SELECT CAST('rows' AS VARCHAR(16)) AS kind, CAST('artists' AS VARCHAR(128)) AS name, COUNT(*) AS figure, CAST(NULL AS BIGINT) AS expected
FROM ${schema}.artists
WHERE load_id = '${load_id}' AND batch = '${batch}'
