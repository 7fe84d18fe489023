-- An artist is the row of the smallest song_id. Runs in the publish step.
INSERT INTO ${schema}.artists (artist_id, name, location, latitude, longitude, as_of_song_id, load_id, batch)
SELECT
    w.artist_id,
    w.artist_name,
    w.artist_location,
    w.artist_latitude,
    w.artist_longitude,
    w.song_id,
    CAST(:load_id AS VARCHAR(64)),
    CAST(:batch AS VARCHAR(64))
FROM (
    SELECT
        s.*,
        ROW_NUMBER() OVER (PARTITION BY s.artist_id ORDER BY s.song_id ASC) AS place
    FROM ${schema}.songs AS s
) AS w
WHERE
    w.place = 1
    AND NOT EXISTS (
        SELECT 1 FROM ${schema}.artists AS d
        WHERE d.artist_id = w.artist_id
    );
