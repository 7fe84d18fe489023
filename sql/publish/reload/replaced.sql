-- A reload loads files again: their earlier ledger rows become 'replaced', so that the claim holds. Runs before claim.sql.
UPDATE ${schema}.files
SET status = 'replaced'
WHERE
    status = 'loaded'
    AND (load_id <> :load_id OR batch <> :batch)
    AND EXISTS (
        SELECT 1
        FROM ${schema}.files AS mine
        WHERE
            mine.load_id = :load_id
            AND mine.batch = :batch
            AND mine.status = 'loaded'
            AND mine.bucket = files.bucket
            AND mine.key = files.key
            AND mine.etag = files.etag
    );
