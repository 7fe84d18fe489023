-- What undo of a load deletes of ratings, and the range of their time, which bounds undo's statements on ratings. Runs after
-- undo/look.sql, if the load has ratings.
SELECT
    CAST('ratings' AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    TO_CHAR(MIN(rated_at), 'YYYY-MM-DD HH24:MI:SS.US') AS first_start,
    TO_CHAR(MAX(rated_at), 'YYYY-MM-DD HH24:MI:SS.US') AS last_start
FROM ${schema}.ratings
WHERE load_id = '${undone_load}'
