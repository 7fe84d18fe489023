-- The songs of this batch. song_versions gets what the batch says of each: of several rows with one song_id, the smallest (by all columns,
-- in this order). Year 0 means unknown, and so does location ''. Runs in the publish step.
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

-- A song's row is the smallest that any file has of it, whatever arrives first: the songs for which this batch has a smaller row are
-- deleted and inserted again. changed_songs is a temporary table: the songs whose row is now this batch's (is_new = 1), and the rows that
-- they had (is_new = 0). The statements that follow read no other song.
CREATE TEMPORARY TABLE changed_songs
DISTKEY (song_id)
AS
SELECT w.song_id, w.title, w.artist_id, w.artist_name, w.duration, 1 AS is_new
FROM (
    SELECT
        c.*,
        ROW_NUMBER() OVER (
            PARTITION BY c.song_id
            ORDER BY
                c.title ASC NULLS FIRST, c.artist_id ASC NULLS FIRST, c.artist_name ASC NULLS FIRST,
                c.duration ASC NULLS FIRST, c.year ASC NULLS FIRST, c.artist_location ASC NULLS FIRST,
                c.artist_latitude ASC NULLS FIRST, c.artist_longitude ASC NULLS FIRST, c.is_mine ASC
        ) AS place
    FROM (
        SELECT
            s.song_id, s.title, s.artist_id, s.artist_name, s.duration, s.year,
            s.artist_location, s.artist_latitude, s.artist_longitude,
            0 AS is_mine
        FROM ${schema}.songs AS s
        INNER JOIN ${schema}.song_versions AS o ON s.song_id = o.song_id
        WHERE o.load_id = '${load_id}' AND o.batch = '${batch}'
        UNION ALL
        SELECT
            v.song_id, v.title, v.artist_id, v.artist_name, v.duration, v.year,
            v.artist_location, v.artist_latitude, v.artist_longitude,
            1 AS is_mine
        FROM ${schema}.song_versions AS v
        WHERE v.load_id = '${load_id}' AND v.batch = '${batch}'
    ) AS c
) AS w
WHERE w.place = 1 AND w.is_mine = 1;

INSERT INTO changed_songs (song_id, title, artist_id, artist_name, duration, is_new)
SELECT o.song_id, o.title, o.artist_id, o.artist_name, o.duration, 0
FROM old_songs AS o
INNER JOIN changed_songs AS n ON o.song_id = n.song_id;

DELETE FROM ${schema}.songs
WHERE song_id IN (SELECT c.song_id FROM changed_songs AS c);

INSERT INTO ${schema}.songs (
    song_id, title, artist_id, year, duration,
    artist_name, artist_location, artist_latitude, artist_longitude, load_id, batch
)
SELECT
    v.song_id, v.title, v.artist_id, v.year, v.duration,
    v.artist_name, v.artist_location, v.artist_latitude, v.artist_longitude, v.load_id, v.batch
FROM ${schema}.song_versions AS v
INNER JOIN changed_songs AS c ON v.song_id = c.song_id
WHERE
    v.load_id = '${load_id}'
    AND v.batch = '${batch}'
    AND c.is_new = 1;
