-- Artists for whom one of these songs is now the smallest are decided again, and those that were deleted are inserted again if they have a
-- song. Runs in the undo of a load that has song files.
DELETE FROM ${schema}.artists
WHERE artist_id IN (
    SELECT a.artist_id
    FROM ${schema}.artists AS a
    INNER JOIN ${schema}.songs AS s ON a.artist_id = s.artist_id
    INNER JOIN changed_songs AS d ON s.song_id = d.song_id
    WHERE s.song_id < a.as_of_song_id
);

INSERT INTO ${schema}.artists (artist_id, name, location, latitude, longitude, as_of_song_id, load_id, batch)
SELECT
    w.artist_id,
    w.artist_name,
    w.artist_location,
    w.artist_latitude,
    w.artist_longitude,
    w.song_id,
    w.load_id,
    w.batch
FROM (
    SELECT
        s.*,
        ROW_NUMBER() OVER (PARTITION BY s.artist_id ORDER BY s.song_id ASC) AS place
    FROM ${schema}.songs AS s
    WHERE s.artist_id IN (SELECT d.artist_id FROM changed_songs AS d)
) AS w
LEFT JOIN ${schema}.artists AS a ON w.artist_id = a.artist_id
WHERE w.place = 1 AND a.artist_id IS NULL;
