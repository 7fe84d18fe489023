-- The ledger rows of this batch: files loaded, rejected, missing. Runs after begin.sql, before claim.sql.
COPY ${schema}.files (
    bucket, key, etag, size, dataset, status, lines, reason, error_line, error_column, error_code, load_id, batch
)
FROM '${ledger}'
IAM_ROLE ${copy_role}
FORMAT AS JSON 'auto'
COMPUPDATE OFF
STATUPDATE OFF;
