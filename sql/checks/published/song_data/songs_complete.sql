-- Every staged song is in songs, by its id. Runs in the publish transaction of song files.
SELECT
    (
        SELECT COUNT(DISTINCT s.song_id)
        FROM ${schema}.${song_stage} AS s
        INNER JOIN ${schema}.songs AS d ON s.song_id = d.song_id
    ) AS figure,
    (SELECT COUNT(DISTINCT t.song_id) FROM ${schema}.${song_stage} AS t) AS expected
