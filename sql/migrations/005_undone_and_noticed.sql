-- Version 5: undo is a transaction for each dataset of a load, and which of them are done stands in the ledger. A row that is there
-- already is of an undo of all of them: ''. And what loads notice of their files and change nothing for: keys that no column takes, and
-- how often each column is filled. Runs once, in one transaction (functions/migrate.py), behind the lock.
-- docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
LOCK ${loader_schema}.publish_lock;

ALTER TABLE ${schema}.undone ADD COLUMN dataset VARCHAR(64) DEFAULT '' NOT NULL;

CREATE TABLE ${schema}.key_sightings (
    dataset VARCHAR(64) NOT NULL,
    path VARCHAR(256) NOT NULL,
    key VARCHAR(1024) NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    seen_at TIMESTAMP NOT NULL DEFAULT GETDATE()
) SORTKEY (dataset, path);

CREATE TABLE ${schema}.column_figures (
    dataset VARCHAR(64) NOT NULL,
    column_name VARCHAR(127) NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    rows_staged BIGINT NOT NULL,
    filled BIGINT NOT NULL,
    told INTEGER NOT NULL,
    recorded_at TIMESTAMP NOT NULL DEFAULT GETDATE()
) SORTKEY (dataset, column_name);

CREATE VIEW ${schema}.unknown_keys AS
SELECT
    dataset,
    path,
    first_key,
    first_load_id,
    first_seen_at,
    last_seen_at
FROM (
    SELECT
        s.dataset,
        s.path,
        s.key AS first_key,
        s.load_id AS first_load_id,
        s.seen_at AS first_seen_at,
        f.last_seen_at,
        ROW_NUMBER() OVER (PARTITION BY s.dataset, s.path ORDER BY s.seen_at ASC, s.load_id ASC, s.key ASC) AS place
    FROM ${schema}.key_sightings AS s
    INNER JOIN (
        SELECT
            dataset,
            path,
            MAX(seen_at) AS last_seen_at
        FROM ${schema}.key_sightings
        GROUP BY dataset, path
    ) AS f
        ON s.dataset = f.dataset AND s.path = f.path
) AS ranked
WHERE place = 1;

INSERT INTO ${schema}.schema_version (version) VALUES (5);
