-- Fails the transaction if the batch must not be published. Runs after files.sql, and after replaced.sql in a reload.
--   lock    the lock's row is gone, by which two publishers would notice each other
--   undone  the load was undone in the meantime
--   again   an earlier attempt has published this very batch: again.sql must delete its ledger rows first
--   claim   another load, or another batch, has loaded a file of this batch, or the file was withdrawn and is not named by key
-- Both branches of a CASE are evaluated, so the CASE is inside the CAST.
SELECT
    CAST(
        CASE
            WHEN k.held <> 1 THEN 'lock: publish_lock has ' || CAST(k.held AS VARCHAR(32)) || ' rows of this load, expected 1'
            WHEN u.undone > 0 THEN 'undone: ' || u.undone_by || ' has undone this load'
            WHEN p.published > 0 THEN 'again: this batch is published already'
            WHEN c.claimed > 0 THEN 'claim: ' || CAST(c.claimed AS VARCHAR(32)) || ' files are loaded already'
            ELSE '0'
        END AS INTEGER
    ) AS claim
FROM (
    SELECT COUNT(*) AS held
    FROM ${loader_schema}.publish_lock
    WHERE holder = '${load_id}'
) AS k
CROSS JOIN (
    SELECT
        COUNT(*) AS undone,
        COALESCE(MAX(undone_by), '') AS undone_by
    FROM ${schema}.undone
    WHERE load_id = '${load_id}'
) AS u
CROSS JOIN (
    SELECT COUNT(*) AS published
    FROM ${schema}.loads
    WHERE load_id = '${load_id}' AND batch = '${batch}'
) AS p
CROSS JOIN (
    SELECT COUNT(*) AS claimed
    FROM ${schema}.files AS mine
    INNER JOIN ${schema}.files AS other
        ON mine.bucket = other.bucket AND mine.key = other.key AND mine.etag = other.etag
    WHERE
        mine.load_id = '${load_id}'
        AND mine.batch = '${batch}'
        AND mine.status = 'loaded'
        AND (other.status = 'loaded' OR (${named} = 0 AND other.status = 'withdrawn'))
        AND (other.load_id <> mine.load_id OR other.batch <> mine.batch)
) AS c;

INSERT INTO ${schema}.loads (
    load_id, batch, dataset, mode, execution, files_loaded, files_rejected, rows_staged, started_at
)
VALUES (
    '${load_id}', '${batch}', '${dataset}', '${mode}', '${execution}',
    ${files_loaded}, ${files_rejected}, ${rows_staged},
    TIMESTAMP '${started_at}'
);

-- Closes the rows of a bad file that was replaced by a good one, or that loaded this time.
UPDATE ${schema}.files
SET status = 'closed'
FROM (
    SELECT DISTINCT
        mine.bucket,
        mine.key
    FROM ${schema}.files AS mine
    WHERE mine.load_id = '${load_id}' AND mine.batch = '${batch}' AND mine.status = 'loaded'
) AS m
WHERE
    files.status IN ('rejected', 'missing', 'unreadable', 'waiting')
    AND files.bucket = m.bucket
    AND files.key = m.key;
