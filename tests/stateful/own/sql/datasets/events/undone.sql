-- What undo of a load deletes of events, and the range of their time, which bounds undo's statements on events. Runs after undo/look.sql,
-- if the load has events.
SELECT
    CAST('events' AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    TO_CHAR(MIN(created_at), 'YYYY-MM-DD HH24:MI:SS.US') AS first_start,
    TO_CHAR(MAX(created_at), 'YYYY-MM-DD HH24:MI:SS.US') AS last_start
FROM ${schema}.events
WHERE load_id = '${undone_load}'
