-- What undo of a load deletes of song files' rows, by table. Songs have no range of start_time. Runs after undo/look.sql, if the load has
-- song files.
SELECT
    CAST('songs' AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM ${schema}.songs
WHERE load_id = '${undone_load}'
