-- What undo of a load deletes of log files' rows, by table, and the range of its plays, which bounds undo's statements on the fact table.
-- The range includes plays that another load has replaced: its undo may bring them back before this one has the lock.
-- Runs after undo/look.sql, if the load has log files.
SELECT
    CAST('songplays' AS VARCHAR(128)) AS name,
    CAST(COALESCE(SUM(p.plays), 0) AS BIGINT) AS figure,
    TO_CHAR(MIN(p.start_time), 'YYYY-MM-DD HH24:MI:SS.US') AS first_start,
    TO_CHAR(MAX(p.start_time), 'YYYY-MM-DD HH24:MI:SS.US') AS last_start
FROM (
    SELECT
        1 AS plays,
        f.start_time
    FROM ${schema}.songplays AS f
    WHERE f.load_id = '${undone_load}'
    UNION ALL
    SELECT
        0 AS plays,
        v.start_time
    FROM ${schema}.songplay_versions AS v
    WHERE v.load_id = '${undone_load}'
) AS p
UNION ALL
SELECT
    CAST('users' AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM ${schema}.users
WHERE load_id = '${undone_load}'
