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

-- Which contract the tables of each dataset have: the last of the numbers.
CREATE TABLE ${schema}.contracts (
    dataset VARCHAR(64) NOT NULL,
    number INTEGER NOT NULL,
    digest VARCHAR(16) NOT NULL,
    key_columns VARCHAR(65535) NOT NULL,
    newest VARCHAR(127) NOT NULL,
    columns VARCHAR(65535) NOT NULL,
    masks VARCHAR(65535) NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    applied_at TIMESTAMP NOT NULL DEFAULT GETDATE()
) SORTKEY (dataset, number);

-- The fingerprint of the key of masked columns: a lost key is noticed, and not made again in silence.
CREATE TABLE ${schema}.mask_keys (
    fingerprint VARCHAR(64) NOT NULL,
    made_at TIMESTAMP NOT NULL DEFAULT GETDATE()
);

-- The line of dataset.yaml that would take an unknown key.
ALTER TABLE ${schema}.key_sightings ADD COLUMN suggested VARCHAR(1024);

INSERT INTO ${schema}.schema_version (version) VALUES (6);
