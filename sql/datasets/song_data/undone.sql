-- What undo of a load takes of song files' rows, by table. Runs as part of undo/look.sql.
SELECT CAST('songs' AS VARCHAR(128)) AS name, COUNT(*) AS figure
FROM ${schema}.songs
WHERE load_id = :undone_load
