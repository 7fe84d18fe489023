-- The rows that a batch of song files wrote, by table. Runs in the publish step, as a part of publish/figures.sql.
SELECT 'rows' AS kind, 'songs' AS name, COUNT(*) AS figure, CAST(NULL AS BIGINT) AS expected
FROM ${schema}.songs
WHERE load_id = :load_id AND batch = :batch
UNION ALL
SELECT 'rows' AS kind, 'artists' AS name, COUNT(*) AS figure, CAST(NULL AS BIGINT) AS expected
FROM ${schema}.artists
WHERE load_id = :load_id AND batch = :batch
