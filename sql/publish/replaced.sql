-- A reload loads files again: their earlier ledger rows become 'replaced', so that the claim holds. Runs before claim.sql, in a reload.
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
