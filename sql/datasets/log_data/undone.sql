-- What undo of a load takes of log files' rows, by table. Runs as part of undo/look.sql.
SELECT CAST('songplays' AS VARCHAR(128)) AS name, COUNT(*) AS figure
FROM ${schema}.songplays
WHERE load_id = :undone_load
UNION ALL
SELECT CAST('users' AS VARCHAR(128)) AS name, COUNT(*) AS figure
FROM ${schema}.users
WHERE load_id = :undone_load
