-- Songs whose row a smaller staged row replaces. Runs in the publish step.
DELETE FROM ${schema}.songs
WHERE song_id IN (
    SELECT w.song_id
    FROM (
        SELECT
            c.song_id,
            c.is_staged,
            ROW_NUMBER() OVER (
                PARTITION BY c.song_id
                ORDER BY
                    c.title ASC NULLS FIRST, c.artist_id ASC NULLS FIRST, c.artist_name ASC NULLS FIRST,
                    c.duration ASC NULLS FIRST, c.year ASC NULLS FIRST, c.artist_location ASC NULLS FIRST,
                    c.artist_latitude ASC NULLS FIRST, c.artist_longitude ASC NULLS FIRST, c.is_staged ASC
            ) AS place
        FROM (
            SELECT
                s.song_id, s.title, s.artist_id, s.artist_name, s.duration, s.year,
                s.artist_location, s.artist_latitude, s.artist_longitude,
                0 AS is_staged
            FROM ${schema}.songs AS s
            WHERE s.song_id IN (SELECT i.song_id FROM ${schema}.${song_stage} AS i)
            UNION ALL
            SELECT
                n.song_id, n.title, n.artist_id, n.artist_name, n.duration, NULLIF(n.year, 0) AS year,
                NULLIF(n.artist_location, '') AS artist_location, n.artist_latitude, n.artist_longitude,
                1 AS is_staged
            FROM ${schema}.${song_stage} AS n
        ) AS c
    ) AS w
    WHERE w.place = 1 AND w.is_staged = 1
);
