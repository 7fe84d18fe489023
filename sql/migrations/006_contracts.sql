-- Version 6: which contract the tables of each dataset have. Runs once, in one transaction (functions/migrate.py), behind the lock.
LOCK ${loader_schema}.publish_lock;

CREATE TABLE ${schema}.contracts (
    dataset VARCHAR(64) NOT NULL,
    number INTEGER NOT NULL,
    digest VARCHAR(16) NOT NULL,
    key_columns VARCHAR(65535) NOT NULL,
    newest VARCHAR(127) NOT NULL,
    columns VARCHAR(65535) NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    applied_at TIMESTAMP NOT NULL DEFAULT GETDATE()
) SORTKEY (dataset, number);

INSERT INTO ${schema}.schema_version (version) VALUES (6);
