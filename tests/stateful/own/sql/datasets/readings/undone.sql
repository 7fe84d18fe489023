-- What undo of a load deletes of readings, and the range of their time, which bounds undo's statements on readings. Runs after
-- undo/look.sql, if the load has readings.
SELECT
    CAST('readings' AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    TO_CHAR(MIN(ts), 'YYYY-MM-DD HH24:MI:SS.US') AS first_start,
    TO_CHAR(MAX(ts), 'YYYY-MM-DD HH24:MI:SS.US') AS last_start
FROM ${schema}.readings
WHERE load_id = '${undone_load}'
