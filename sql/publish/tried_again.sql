-- Closes what the ledger says of files of this batch that could not be read or had to wait before: the new row replaces it, so a file that
-- every sweep tries again is one row. Runs after claim.sql, if the batch has files that are not loaded.
DELETE FROM ${schema}.files
USING (
    SELECT DISTINCT
        mine.bucket,
        mine.key
    FROM ${schema}.files AS mine
    WHERE mine.load_id = '${load_id}' AND mine.batch = '${batch}' AND mine.status <> 'loaded'
) AS m
WHERE
    files.status IN ('unreadable', 'waiting')
    AND (files.load_id <> '${load_id}' OR files.batch <> '${batch}')
    AND files.bucket = m.bucket
    AND files.key = m.key;
