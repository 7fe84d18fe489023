-- No artist_id is in artists twice. Runs in the publish transaction of song files.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM (
    SELECT artist_id
    FROM ${schema}.artists
    GROUP BY artist_id
    HAVING COUNT(*) > 1
) AS doubled
