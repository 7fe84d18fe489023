-- No row is left that the undone load decided. Runs in the undo of a load.
SELECT
    f.plays + u.users + v.versions + s.songs + t.versions AS figure,
    0 AS expected
FROM (
    SELECT COUNT(*) AS plays FROM ${schema}.songplays
    WHERE load_id = :undone_load
) AS f
CROSS JOIN (
    SELECT COUNT(*) AS users FROM ${schema}.users
    WHERE load_id = :undone_load
) AS u
CROSS JOIN (
    SELECT COUNT(*) AS versions FROM ${schema}.user_versions
    WHERE load_id = :undone_load
) AS v
CROSS JOIN (
    SELECT COUNT(*) AS songs FROM ${schema}.songs
    WHERE load_id = :undone_load
) AS s
CROSS JOIN (
    SELECT COUNT(*) AS versions FROM ${schema}.song_versions
    WHERE load_id = :undone_load
) AS t
