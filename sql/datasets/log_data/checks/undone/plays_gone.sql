-- No play, user or version is left that the undone load decided. Runs in the undo of a load that has log files, over the range of its
-- plays.
SELECT
    f.plays + u.users + v.versions + k.versions AS figure,
    0 AS expected
FROM (
    SELECT COUNT(*) AS plays FROM ${schema}.songplays
    WHERE load_id = '${undone_load}' AND start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
) AS f
CROSS JOIN (
    SELECT COUNT(*) AS users FROM ${schema}.users
    WHERE load_id = '${undone_load}'
) AS u
CROSS JOIN (
    SELECT COUNT(*) AS versions FROM ${schema}.user_versions
    WHERE load_id = '${undone_load}'
) AS v
CROSS JOIN (
    SELECT COUNT(*) AS versions FROM ${schema}.songplay_versions
    WHERE load_id = '${undone_load}'
) AS k
