-- The batch's ratings, all of them: none is compared with what is there, for a rating has no key. That a file's ratings are there
-- once is the claim's doing. Runs in the publish step.
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
