-- The claim: fails the transaction if another load, or another batch, has loaded a file of this batch. Runs after begin.sql.
-- Both branches of a CASE are evaluated, so the CASE stands inside the CAST.
SELECT
    CAST(
        CASE WHEN COUNT(*) = 0 THEN '0' ELSE 'claim: ' || CAST(COUNT(*) AS VARCHAR(32)) || ' files are loaded already' END AS INTEGER
    ) AS claim
FROM ${schema}.files AS mine
INNER JOIN ${schema}.files AS other
    ON mine.bucket = other.bucket AND mine.key = other.key AND mine.etag = other.etag
WHERE
    mine.load_id = :load_id
    AND mine.batch = :batch
    AND mine.status = 'loaded'
    AND other.status = 'loaded'
    AND (other.load_id <> mine.load_id OR other.batch <> mine.batch);
