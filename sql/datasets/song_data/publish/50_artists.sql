-- An artist's row comes from the smallest song_id. Artists whose row was decided by a changed song, or for whom a changed song has a
-- smaller song_id, are deleted, and are decided again among the songs of the artists of the changed songs. Runs in the publish step.
DELETE FROM ${schema}.artists
WHERE artist_id IN (
    SELECT a.artist_id
    FROM ${schema}.artists AS a
    INNER JOIN changed_songs AS s ON a.as_of_song_id = s.song_id
    UNION ALL
    SELECT b.artist_id
    FROM ${schema}.artists AS b
    INNER JOIN changed_songs AS n ON b.artist_id = n.artist_id
    WHERE n.is_new = 1 AND n.song_id < b.as_of_song_id
);

INSERT INTO ${schema}.artists (artist_id, name, location, latitude, longitude, as_of_song_id, load_id, batch)
SELECT
    w.artist_id,
    w.artist_name,
    w.artist_location,
    w.artist_latitude,
    w.artist_longitude,
    w.song_id,
    CAST('${load_id}' AS VARCHAR(64)),
    CAST('${batch}' AS VARCHAR(64))
FROM (
    SELECT
        s.*,
        ROW_NUMBER() OVER (PARTITION BY s.artist_id ORDER BY s.song_id ASC) AS place
    FROM ${schema}.songs AS s
    WHERE s.artist_id IN (SELECT c.artist_id FROM changed_songs AS c)
) AS w
LEFT JOIN ${schema}.artists AS d ON w.artist_id = d.artist_id
WHERE w.place = 1 AND d.artist_id IS NULL;
