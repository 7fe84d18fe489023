-- Records songs that this batch has more than once: a reload of one of their files takes the song from the others, and its undo would lose
-- it. Nothing is left out between batches: song_versions has each batch's row. Runs in the publish step, last of the dataset.
INSERT INTO ${schema}.left_out (load_id, batch, dataset, of_load_id, left_rows)
SELECT
    CAST('${load_id}' AS VARCHAR(64)),
    CAST('${batch}' AS VARCHAR(64)),
    CAST('${dataset}' AS VARCHAR(64)),
    CAST('${load_id}' AS VARCHAR(64)),
    d.left_rows
FROM (
    SELECT COUNT(*) - COUNT(DISTINCT s.song_id) AS left_rows
    FROM ${loader_schema}.${song_stage} AS s
) AS d
WHERE d.left_rows > 0;
