-- The ledger as it is now, for a warehouse that has none; each dataset's tables are created by its own tables.sql. Runs once, in one
-- transaction, before the first load, and on {"reset": true} after DROP of all tables (functions/loader/migrations.py). The numbered files
-- bring an older ledger to the same state; a test compares the two.
-- No keys are declared: Redshift does not enforce them, but plans as if they held, and the checks could no longer see a violation
-- (docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html). The SQL in publish/ keeps them true.
-- GETDATE() and not SYSDATE, which is the start of the transaction: a publish that waited for the lock is newer than its start.
CREATE TABLE ${schema}.schema_version (
    version INTEGER NOT NULL,
    applied_at TIMESTAMP NOT NULL DEFAULT GETDATE()
);

-- The ledger: one row for each time that a load processed a file. A file is (bucket, key, etag).
-- status: loaded, rejected (bad, with the reason), missing (gone before COPY read it), replaced (loaded again by a reload), withdrawn.
CREATE TABLE ${schema}.files (
    bucket VARCHAR(64) NOT NULL,
    key VARCHAR(1024) NOT NULL,
    etag VARCHAR(256) NOT NULL,
    size BIGINT,
    dataset VARCHAR(64) NOT NULL,
    status VARCHAR(16) NOT NULL,
    lines BIGINT,
    reason VARCHAR(1024),
    error_line BIGINT,
    error_column VARCHAR(127),
    error_code INTEGER,
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL,
    recorded_at TIMESTAMP NOT NULL DEFAULT GETDATE()
) DISTKEY (key) SORTKEY (bucket, key);

-- One row for each published batch of a load.
CREATE TABLE ${schema}.loads (
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL,
    dataset VARCHAR(64) NOT NULL,
    mode VARCHAR(16) NOT NULL,
    execution VARCHAR(1024) NOT NULL,
    files_loaded BIGINT NOT NULL,
    files_rejected BIGINT NOT NULL,
    rows_staged BIGINT NOT NULL,
    started_at TIMESTAMP NOT NULL,
    published_at TIMESTAMP NOT NULL DEFAULT GETDATE()
) SORTKEY (published_at);

CREATE TABLE ${schema}.check_results (
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL,
    checked VARCHAR(16) NOT NULL,
    name VARCHAR(128) NOT NULL,
    figure BIGINT,
    expected BIGINT,
    definition VARCHAR(16),
    recorded_at TIMESTAMP NOT NULL DEFAULT GETDATE()
) SORTKEY (load_id, batch);

-- Rows of a batch that were left out because they exist already, by the load that they belong to (which may be the same load).
CREATE TABLE ${schema}.left_out (
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL,
    dataset VARCHAR(64) NOT NULL,
    of_load_id VARCHAR(64) NOT NULL,
    left_rows BIGINT NOT NULL
) SORTKEY (load_id, batch);

-- Loads that were undone, by dataset ('': all of them): nothing more of any dataset is published for them.
CREATE TABLE ${schema}.undone (
    load_id VARCHAR(64) NOT NULL,
    undone_by VARCHAR(64) NOT NULL,
    execution VARCHAR(1024) NOT NULL,
    undone_at TIMESTAMP NOT NULL DEFAULT GETDATE(),
    dataset VARCHAR(64) NOT NULL DEFAULT ''
);

-- What a load has cost, apart from the warehouse: the state machine's transitions, its functions, their calls.
CREATE TABLE ${schema}.load_figures (
    load_id VARCHAR(64) NOT NULL,
    seconds DOUBLE PRECISION NOT NULL,
    transitions BIGINT NOT NULL,
    function_calls BIGINT NOT NULL,
    gb_seconds DOUBLE PRECISION NOT NULL,
    data_api_calls BIGINT NOT NULL,
    s3_requests BIGINT NOT NULL,
    recorded_at TIMESTAMP NOT NULL DEFAULT GETDATE()
) SORTKEY (recorded_at);

-- "Where is my file?": the latest status of each (bucket, key, etag) in the ledger. A loaded file stays loaded, whatever was recorded
-- later: for example that its object is gone, when its event was repeated.
CREATE VIEW ${schema}.file_status AS
SELECT
    bucket,
    key,
    etag,
    status,
    reason,
    error_line,
    error_column,
    error_code,
    lines,
    size,
    dataset,
    load_id,
    batch,
    recorded_at
FROM (
    SELECT
        f.*,
        ROW_NUMBER() OVER (
            PARTITION BY f.bucket, f.key, f.etag
            ORDER BY
                CASE WHEN f.status = 'loaded' THEN 0 ELSE 1 END ASC,
                f.recorded_at DESC, f.load_id DESC, f.batch DESC
        ) AS newest
    FROM ${schema}.files AS f
) AS ranked
WHERE newest = 1;

-- Keys of records that no column takes, as samples of loads have seen them: a row when a key is new, and then at most one a day.
-- suggested: the line of dataset.yaml that would take the key.
CREATE TABLE ${schema}.key_sightings (
    dataset VARCHAR(64) NOT NULL,
    path VARCHAR(256) NOT NULL,
    key VARCHAR(1024) NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    seen_at TIMESTAMP NOT NULL DEFAULT GETDATE(),
    suggested VARCHAR(1024)
) SORTKEY (dataset, path);

-- How many rows of a dataset each load has staged, and in how many each column is filled. told: the load reported the column as empty.
CREATE TABLE ${schema}.column_figures (
    dataset VARCHAR(64) NOT NULL,
    column_name VARCHAR(127) NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    rows_staged BIGINT NOT NULL,
    filled BIGINT NOT NULL,
    told INTEGER NOT NULL,
    recorded_at TIMESTAMP NOT NULL DEFAULT GETDATE()
) SORTKEY (dataset, column_name);

-- The keys that no column takes: where each was first seen, and when it was last seen.
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

-- Which contract the tables of each dataset have: the last of the numbers. columns: table.column TYPE of the tables of results;
-- masks: table.column hash or drop.
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

-- The fingerprint of the key of masked columns, of which hashes are stored: a lost key is noticed, and not made again in silence.
CREATE TABLE ${schema}.mask_keys (
    fingerprint VARCHAR(64) NOT NULL,
    made_at TIMESTAMP NOT NULL DEFAULT GETDATE()
);

-- Last: the version that all numbered files together lead to.
INSERT INTO ${schema}.schema_version (version) VALUES (${version});
