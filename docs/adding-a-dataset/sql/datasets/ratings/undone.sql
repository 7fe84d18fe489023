-- What undo of a load takes of ratings. Runs as part of undo/look.sql.
SELECT CAST('ratings' AS VARCHAR(128)) AS name, COUNT(*) AS figure
FROM ${schema}.ratings
WHERE load_id = :undone_load
