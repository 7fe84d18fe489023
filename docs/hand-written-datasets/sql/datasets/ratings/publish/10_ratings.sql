-- Inserts all of the batch's ratings: a rating has no key, so none is compared with existing rows. The claim ensures that a file's ratings
-- are loaded only once. Runs in the publish step.
INSERT INTO ${schema}.ratings (user_id, song_id, stars, rated_at, remark, load_id, batch)
SELECT
    r.user_id,
    r.song_id,
    r.stars,
    r.rated_at,
    r.remark,
    CAST('${load_id}' AS VARCHAR(64)),
    CAST('${batch}' AS VARCHAR(64))
FROM ${loader_schema}.${rating_stage} AS r;
