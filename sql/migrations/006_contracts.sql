-- Version 6: what datasets with a contract need. Runs once, in one transaction (functions/migrate.py), behind the lock.
LOCK ${loader_schema}.publish_lock;

-- Rows of loaded files that were left out, because they do not fit.
CREATE TABLE ${schema}.rejected_rows (
    bucket VARCHAR(64) NOT NULL,
    key VARCHAR(1024) NOT NULL,
    etag VARCHAR(256) NOT NULL,
    dataset VARCHAR(64) NOT NULL,
    line BIGINT,
    column_name VARCHAR(127),
    code INTEGER,
    reason VARCHAR(1024) NOT NULL,
    raw_record VARCHAR(65535),
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL,
    recorded_at TIMESTAMP NOT NULL DEFAULT GETDATE()
) SORTKEY (load_id, batch);

INSERT INTO ${schema}.schema_version (version) VALUES (6);
