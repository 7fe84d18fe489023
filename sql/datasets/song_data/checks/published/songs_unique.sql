-- No song_id is in songs twice. Runs in the publish transaction of song files.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM (
    SELECT song_id
    FROM ${schema}.songs
    GROUP BY song_id
    HAVING COUNT(*) > 1
) AS doubled
