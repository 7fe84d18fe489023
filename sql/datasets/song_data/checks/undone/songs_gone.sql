-- No song or version is left that the undone load decided. Runs in the undo of a load that has song files.
SELECT
    s.songs + t.versions AS figure,
    0 AS expected
FROM (
    SELECT COUNT(*) AS songs FROM ${schema}.songs
    WHERE load_id = '${undone_load}'
) AS s
CROSS JOIN (
    SELECT COUNT(*) AS versions FROM ${schema}.song_versions
    WHERE load_id = '${undone_load}'
) AS t
