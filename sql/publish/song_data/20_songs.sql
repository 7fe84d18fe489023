-- A song is the smallest row that any file has of it, whatever arrives first: those of which this batch has a smaller one go, and
-- come anew. Runs in the publish step.
DELETE FROM ${schema}.songs
WHERE song_id IN (
    SELECT w.song_id
    FROM (
        SELECT
            c.song_id,
            c.is_new,
            ROW_NUMBER() OVER (
                PARTITION BY c.song_id
                ORDER BY
                    c.title ASC NULLS FIRST, c.artist_id ASC NULLS FIRST, c.artist_name ASC NULLS FIRST,
                    c.duration ASC NULLS FIRST, c.year ASC NULLS FIRST, c.artist_location ASC NULLS FIRST,
                    c.artist_latitude ASC NULLS FIRST, c.artist_longitude ASC NULLS FIRST, c.is_new ASC
            ) AS place
        FROM (
            SELECT
                s.song_id, s.title, s.artist_id, s.artist_name, s.duration, s.year,
                s.artist_location, s.artist_latitude, s.artist_longitude,
                0 AS is_new
            FROM ${schema}.songs AS s
            WHERE
                s.song_id IN (
                    SELECT o.song_id FROM ${schema}.song_versions AS o
                    WHERE o.load_id = :load_id AND o.batch = :batch
                )
            UNION ALL
            SELECT
                v.song_id, v.title, v.artist_id, v.artist_name, v.duration, v.year,
                v.artist_location, v.artist_latitude, v.artist_longitude,
                1 AS is_new
            FROM ${schema}.song_versions AS v
            WHERE v.load_id = :load_id AND v.batch = :batch
        ) AS c
    ) AS w
    WHERE w.place = 1 AND w.is_new = 1
);

INSERT INTO ${schema}.songs (
    song_id, title, artist_id, year, duration,
    artist_name, artist_location, artist_latitude, artist_longitude, load_id, batch
)
SELECT
    v.song_id, v.title, v.artist_id, v.year, v.duration,
    v.artist_name, v.artist_location, v.artist_latitude, v.artist_longitude, v.load_id, v.batch
FROM ${schema}.song_versions AS v
WHERE
    v.load_id = :load_id
    AND v.batch = :batch
    AND NOT EXISTS (
        SELECT 1 FROM ${schema}.songs AS d
        WHERE d.song_id = v.song_id
    );

-- The plays of a song whose row came anew wait for a song again (70_songplays_late_songs.sql).
UPDATE ${schema}.songplays
SET song_id = NULL, artist_id = NULL
WHERE song_id IN (
    SELECT s.song_id FROM ${schema}.songs AS s
    WHERE s.load_id = :load_id AND s.batch = :batch
);
