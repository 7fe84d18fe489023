-- Every staged song is in songs, by its id. Runs in the publish transaction of song files.
SELECT
    t.songs AS figure,
    s.songs AS expected
FROM (
    SELECT COUNT(DISTINCT e.song_id) AS songs
    FROM ${loader_schema}.${song_stage} AS e
    INNER JOIN ${schema}.songs AS d ON e.song_id = d.song_id
) AS t
CROSS JOIN (
    SELECT COUNT(DISTINCT n.song_id) AS songs
    FROM ${loader_schema}.${song_stage} AS n
) AS s
