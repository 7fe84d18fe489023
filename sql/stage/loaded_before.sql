-- The newest loaded files of the dataset. Runs when COPY failed and no file may be blamed yet: one of them that still exists is read
-- again, which shows whether the set-up works.
SELECT
    l.bucket,
    l.key,
    l.etag,
    l.size
FROM (
    SELECT
        f.bucket,
        f.key,
        f.etag,
        f.size,
        ROW_NUMBER() OVER (ORDER BY f.recorded_at DESC, f.key ASC) AS place
    FROM ${schema}.files AS f
    WHERE f.dataset = '${dataset}' AND f.status IN ('loaded', 'withdrawn') AND f.size > 0
) AS l
WHERE l.place <= 50
ORDER BY l.place;
