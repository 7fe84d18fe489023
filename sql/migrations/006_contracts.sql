-- Version 6: what datasets with a contract need. Runs once, in one transaction (functions/migrate.py), behind the lock.
LOCK ${loader_schema}.publish_lock;

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
