-- A reload takes over the songs of its files from whatever load has them: what any batch says of them is deleted. A load that has other
-- files with such a song is recorded, so that undo of this load is refused (as for log_data). Runs after publish/05_old_songs.sql.
INSERT INTO ${schema}.left_out (load_id, batch, dataset, of_load_id, left_rows)
SELECT
    v.load_id,
    v.batch,
    CAST('${dataset}' AS VARCHAR(64)),
    CAST('${load_id}' AS VARCHAR(64)),
    COUNT(*)
FROM ${schema}.song_versions AS v
INNER JOIN (
    SELECT DISTINCT
        l.load_id,
        l.batch
    FROM ${schema}.files AS l
    WHERE l.status = 'loaded'
) AS b
    ON v.load_id = b.load_id AND v.batch = b.batch
LEFT JOIN (
    SELECT DISTINCT
        r.load_id,
        r.batch
    FROM ${schema}.files AS r
    INNER JOIN ${schema}.files AS mine
        ON r.bucket = mine.bucket AND r.key = mine.key AND r.etag = mine.etag
    LEFT JOIN ${schema}.left_out AS o
        ON r.load_id = o.load_id AND r.batch = o.batch AND r.load_id = o.of_load_id AND o.dataset = '${dataset}'
    WHERE
        mine.load_id = '${load_id}'
        AND mine.batch = '${batch}'
        AND r.status = 'replaced'
        AND o.load_id IS NULL
) AS t
    ON v.load_id = t.load_id AND v.batch = t.batch
WHERE
    v.load_id <> '${load_id}'
    AND v.song_id IN (SELECT s.song_id FROM ${loader_schema}.${song_stage} AS s)
    AND t.load_id IS NULL
GROUP BY v.load_id, v.batch;

DELETE FROM ${schema}.song_versions
WHERE song_id IN (SELECT s.song_id FROM ${loader_schema}.${song_stage} AS s);

DELETE FROM ${schema}.songs
WHERE song_id IN (SELECT s.song_id FROM ${loader_schema}.${song_stage} AS s);
