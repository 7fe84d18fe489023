-- The rows of this batch's files that are left out. Runs after files.sql, if there are any.
COPY ${schema}.rejected_rows (
    bucket, key, etag, dataset, line, column_name, code, reason, raw_record, load_id, batch
)
FROM '${rejected_rows}'
IAM_ROLE ${copy_role}
FORMAT AS JSON 'auto'
COMPUPDATE OFF
STATUPDATE OFF;
