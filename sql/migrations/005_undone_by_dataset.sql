-- Version 5: undo is a transaction for each dataset of a load, and which of them are done stands in the ledger. A row that is there
-- already is of an undo of all of them: ''. Runs once, in one transaction (functions/migrate.py), behind the lock.
-- docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
LOCK ${loader_schema}.publish_lock;

ALTER TABLE ${schema}.undone ADD COLUMN dataset VARCHAR(64) DEFAULT '' NOT NULL;

INSERT INTO ${schema}.schema_version (version) VALUES (5);
