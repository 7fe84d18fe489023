-- The songs that the load decided are decided anew, by what the other batches say of them; their plays wait for a song, and the
-- artists that they decided are decided anew. Runs in the undo of a load.
DELETE FROM ${schema}.song_versions
WHERE load_id = :undone_load;

UPDATE ${schema}.songplays
SET song_id = NULL, artist_id = NULL
WHERE song_id IN (
    SELECT s.song_id FROM ${schema}.songs AS s
    WHERE s.load_id = :undone_load
);

DELETE FROM ${schema}.artists
WHERE as_of_song_id IN (
    SELECT s.song_id FROM ${schema}.songs AS s
    WHERE s.load_id = :undone_load
);

DELETE FROM ${schema}.songs
WHERE load_id = :undone_load;

INSERT INTO ${schema}.songs (
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
    w.load_id,
    w.batch
FROM (
    SELECT
        v.*,
        ROW_NUMBER() OVER (
            PARTITION BY v.song_id
            ORDER BY
                v.title ASC NULLS FIRST, v.artist_id ASC NULLS FIRST, v.artist_name ASC NULLS FIRST,
                v.duration ASC NULLS FIRST, v.year ASC NULLS FIRST, v.artist_location ASC NULLS FIRST,
                v.artist_latitude ASC NULLS FIRST, v.artist_longitude ASC NULLS FIRST, v.load_id ASC, v.batch ASC
        ) AS place
    FROM ${schema}.song_versions AS v
    WHERE NOT EXISTS (
        SELECT 1 FROM ${schema}.songs AS d
        WHERE d.song_id = v.song_id
    )
) AS w
WHERE w.place = 1;
