-- No song and no artist exists twice. Runs in the undo of a load that has song files.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM (
    SELECT 1 AS doubled
    FROM ${schema}.songs
    GROUP BY song_id
    HAVING COUNT(*) > 1
    UNION ALL
    SELECT 1 AS doubled
    FROM ${schema}.artists
    GROUP BY artist_id
    HAVING COUNT(*) > 1
) AS d
