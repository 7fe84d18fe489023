-- A reload takes the songs of its files over from whatever load has them: what any batch says of them goes, their plays wait for a
-- song again, and the artists that they decided are decided anew. A load that has other files with such a song is noted, so that
-- undo of this load is refused (as for log_data). Runs before publish/song_data/.
INSERT INTO ${schema}.left_out (load_id, batch, dataset, of_load_id, left_rows)
SELECT
    v.load_id,
    v.batch,
    CAST(:dataset AS VARCHAR(64)),
    CAST(:load_id AS VARCHAR(64)),
    COUNT(*)
FROM ${schema}.song_versions AS v
WHERE
    v.load_id <> :load_id
    AND v.song_id IN (SELECT s.song_id FROM ${schema}.${song_stage} AS s)
    AND EXISTS (
        SELECT 1
        FROM ${schema}.files AS l
        WHERE l.load_id = v.load_id AND l.batch = v.batch AND l.status = 'loaded'
    )
    AND NOT EXISTS (
        SELECT 1
        FROM ${schema}.files AS r
        INNER JOIN ${schema}.files AS mine
            ON r.bucket = mine.bucket AND r.key = mine.key AND r.etag = mine.etag
        LEFT JOIN ${schema}.left_out AS o
            ON r.load_id = o.load_id AND r.batch = o.batch AND r.load_id = o.of_load_id AND o.dataset = :dataset
        WHERE
            r.load_id = v.load_id
            AND r.batch = v.batch
            AND mine.load_id = :load_id
            AND mine.batch = :batch
            AND r.status = 'replaced'
            AND o.load_id IS NULL
    )
GROUP BY v.load_id, v.batch;

DELETE FROM ${schema}.song_versions
WHERE song_id IN (SELECT s.song_id FROM ${schema}.${song_stage} AS s);

UPDATE ${schema}.songplays
SET song_id = NULL, artist_id = NULL
WHERE song_id IN (SELECT s.song_id FROM ${schema}.${song_stage} AS s);

DELETE FROM ${schema}.artists
WHERE as_of_song_id IN (SELECT s.song_id FROM ${schema}.${song_stage} AS s);

DELETE FROM ${schema}.songs
WHERE song_id IN (SELECT s.song_id FROM ${schema}.${song_stage} AS s);
