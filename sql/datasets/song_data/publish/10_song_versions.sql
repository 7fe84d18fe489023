-- What this batch says of its songs: of several rows with one song_id, the smallest (by all columns, in this order). Year 0 means unknown,
-- and so does location ''. Runs in the publish step.
INSERT INTO ${schema}.song_versions (
    song_id, title, artist_id, year, duration,
    artist_name, artist_location, artist_latitude, artist_longitude, load_id, batch
)
SELECT
    w.song_id,
    w.title,
    w.artist_id,
    w.year,
    w.duration,
    w.artist_name,
    w.artist_location,
    w.artist_latitude,
    w.artist_longitude,
    CAST('${load_id}' AS VARCHAR(64)),
    CAST('${batch}' AS VARCHAR(64))
FROM (
    SELECT
        n.*,
        ROW_NUMBER() OVER (
            PARTITION BY n.song_id
            ORDER BY
                n.title ASC NULLS FIRST, n.artist_id ASC NULLS FIRST, n.artist_name ASC NULLS FIRST,
                n.duration ASC NULLS FIRST, n.year ASC NULLS FIRST, n.artist_location ASC NULLS FIRST,
                n.artist_latitude ASC NULLS FIRST, n.artist_longitude ASC NULLS FIRST
        ) AS place
    FROM (
        SELECT
            s.song_id, s.title, s.artist_id, s.artist_name, s.duration, NULLIF(s.year, 0) AS year,
            NULLIF(s.artist_location, '') AS artist_location, s.artist_latitude, s.artist_longitude
        FROM ${loader_schema}.${song_stage} AS s
    ) AS n
) AS w
WHERE w.place = 1;
