-- The songs that the load decided are decided again, by what the other batches say of them. Until then their plays have no song, and the
-- artists that they decided are deleted. changed_songs is a temporary table: the rows of these songs as they were, and as they are then.
-- Runs in the undo of a load that has song files.
CREATE TEMPORARY TABLE changed_songs
DISTKEY (song_id)
AS
SELECT s.song_id, s.title, s.artist_id, s.artist_name, s.duration
FROM ${schema}.songs AS s
WHERE s.load_id = '${undone_load}';

DELETE FROM ${schema}.song_versions
WHERE load_id = '${undone_load}';

UPDATE ${schema}.songplays
SET song_id = NULL, artist_id = NULL
WHERE song_id IN (SELECT d.song_id FROM changed_songs AS d);

DELETE FROM ${schema}.artists
WHERE as_of_song_id IN (SELECT d.song_id FROM changed_songs AS d);

DELETE FROM ${schema}.songs
WHERE load_id = '${undone_load}';

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
    WHERE v.song_id IN (SELECT d.song_id FROM changed_songs AS d)
) AS w
WHERE w.place = 1;

INSERT INTO changed_songs (song_id, title, artist_id, artist_name, duration)
SELECT s.song_id, s.title, s.artist_id, s.artist_name, s.duration
FROM ${schema}.songs AS s
WHERE s.song_id IN (SELECT d.song_id FROM changed_songs AS d);
