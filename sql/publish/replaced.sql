-- A reload loads files again: their earlier ledger rows become 'replaced', so that the claim holds, and the rows
-- that were left out of them are those of this load. Runs before claim.sql, in a reload.
UPDATE ${schema}.files
SET status = 'replaced'
FROM (
    SELECT DISTINCT
        mine.bucket,
        mine.key,
        mine.etag
    FROM ${schema}.files AS mine
    WHERE mine.load_id = '${load_id}' AND mine.batch = '${batch}' AND mine.status = 'loaded'
) AS m
WHERE
    files.status = 'loaded'
    AND (files.load_id <> '${load_id}' OR files.batch <> '${batch}')
    AND files.bucket = m.bucket
    AND files.key = m.key
    AND files.etag = m.etag;

DELETE FROM ${schema}.rejected_rows
USING (
    SELECT DISTINCT
        f.bucket,
        f.key,
        f.etag
    FROM ${schema}.files AS f
    WHERE f.load_id = '${load_id}' AND f.batch = '${batch}' AND f.status = 'loaded'
) AS r
WHERE
    (rejected_rows.load_id <> '${load_id}' OR rejected_rows.batch <> '${batch}')
    AND rejected_rows.bucket = r.bucket
    AND rejected_rows.key = r.key
    AND rejected_rows.etag = r.etag;
