-- Opens every publish transaction. Runs before the dataset's own statements (functions/publish.py).
-- LOCK is the first statement: the snapshot is taken at the first SELECT, DML or DDL, so all that follows sees what the previous
-- publisher committed (docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html).
LOCK ${schema}.publish_lock;

-- The batch's own rows of an earlier attempt go first, so that running it twice changes nothing.
DELETE FROM ${schema}.files
WHERE load_id = :load_id AND batch = :batch;

DELETE FROM ${schema}.check_results
WHERE load_id = :load_id AND batch = :batch;

DELETE FROM ${schema}.loads
WHERE load_id = :load_id AND batch = :batch;

DELETE FROM ${schema}.left_out
WHERE load_id = :load_id AND batch = :batch;

-- The ledger rows of this batch: files loaded, rejected, missing.
COPY ${schema}.files (
    bucket, key, etag, size, dataset, status, lines, reason, error_line, error_column, error_code, load_id, batch
)
FROM '${ledger}'
IAM_ROLE ${copy_role}
FORMAT AS JSON 'auto'
COMPUPDATE OFF
STATUPDATE OFF;

INSERT INTO ${schema}.loads (
    load_id, batch, dataset, mode, execution, files_loaded, files_rejected, rows_staged, started_at
)
VALUES (
    :load_id, :batch, :dataset, :mode, :execution,
    CAST(:files_loaded AS BIGINT), CAST(:files_rejected AS BIGINT), CAST(:rows_staged AS BIGINT),
    CAST(:started_at AS TIMESTAMP)
);

-- A bad file that was replaced by a good one, or went well this time, asks for nothing any more.
UPDATE ${schema}.files
SET status = 'closed'
WHERE
    status IN ('rejected', 'missing')
    AND EXISTS (
        SELECT 1
        FROM ${schema}.files AS mine
        WHERE
            mine.load_id = :load_id
            AND mine.batch = :batch
            AND mine.status = 'loaded'
            AND mine.bucket = files.bucket
            AND mine.key = files.key
    );
