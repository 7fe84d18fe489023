-- What undo of a load takes of log files' rows, by table, and the range of its plays, which bounds undo's statements on the fact table.
-- Runs after undo/look.sql, if the load has log files.
SELECT
    CAST('songplays' AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    TO_CHAR(MIN(start_time), 'YYYY-MM-DD HH24:MI:SS.US') AS first_start,
    TO_CHAR(MAX(start_time), 'YYYY-MM-DD HH24:MI:SS.US') AS last_start
FROM ${schema}.songplays
WHERE load_id = '${undone_load}'
UNION ALL
SELECT
    CAST('users' AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM ${schema}.users
WHERE load_id = '${undone_load}'
