-- Nothing is published for a load that was undone. Runs after begin.sql, and after reload/replaced.sql in a reload.
-- Both branches of a CASE are evaluated, so the CASE stands inside the CAST.
SELECT CAST(CASE WHEN COUNT(*) = 0 THEN '0' ELSE 'undone: ' || MAX(u.undone_by) || ' has undone this load' END AS INTEGER) AS undone
FROM ${schema}.undone AS u
WHERE u.load_id = :load_id;

-- The claim: fails the transaction if another load, or another batch, has loaded a file of this batch, or if the file was withdrawn
-- and is not named.
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
    AND (other.status = 'loaded' OR (CAST(:named AS VARCHAR(8)) = 'no' AND other.status = 'withdrawn'))
    AND (other.load_id <> mine.load_id OR other.batch <> mine.batch);
