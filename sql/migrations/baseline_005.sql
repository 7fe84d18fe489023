-- All tables as version 5 has them, for a warehouse that has none: the star schema, the versions that undo needs, the ledger. The loader's
-- own follow in loader_tables.sql. Runs once, in one transaction, before the first load, and on {"reset": true}
-- (functions/loader/migrations.py). Older tables get here by the numbered migrations; a test compares the two.
-- No keys are declared: Redshift enforces none, but plans as if they held, and the checks could no longer see that they do not
-- (docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html). The SQL in publish/ keeps them true.
-- GETDATE() and not SYSDATE, which is the transaction's start: a publish that waited for the lock is newer than it began.
-- The parents of staging tables of a schema that was dropped without the loader's are dropped first: they may be of another version.
-- DISTKEY (session_id): every join of staged plays and facts is on it, so that no row moves between nodes for it.
DROP TABLE IF EXISTS ${loader_schema}.event_stage, ${loader_schema}.song_stage, ${loader_schema}.file_plan;

CREATE TABLE ${schema}.schema_version (
    version INTEGER NOT NULL,
    applied_at TIMESTAMP NOT NULL DEFAULT GETDATE()
);

-- as_of_*: the newest event of the user, which decided the row; an older event never changes it.
CREATE TABLE ${schema}.users (
    user_id INTEGER NOT NULL,
    first_name VARCHAR(256),
    last_name VARCHAR(256),
    gender VARCHAR(16),
    level VARCHAR(16),
    as_of_start_time TIMESTAMP NOT NULL,
    as_of_session_id INTEGER NOT NULL,
    as_of_item_in_session INTEGER NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) SORTKEY (user_id);

-- artist_*: the artist as this song's file has it; a play matches on artist_name, the artists table is decided from them.
CREATE TABLE ${schema}.songs (
    song_id VARCHAR(64) NOT NULL,
    title VARCHAR(1024),
    artist_id VARCHAR(64) NOT NULL,
    year INTEGER,
    duration DOUBLE PRECISION,
    artist_name VARCHAR(1024),
    artist_location VARCHAR(1024),
    artist_latitude DOUBLE PRECISION,
    artist_longitude DOUBLE PRECISION,
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) SORTKEY (song_id);

-- as_of_song_id: the artist's smallest song_id, whose file decided the row.
CREATE TABLE ${schema}.artists (
    artist_id VARCHAR(64) NOT NULL,
    name VARCHAR(1024),
    location VARCHAR(1024),
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    as_of_song_id VARCHAR(64) NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) SORTKEY (artist_id);

CREATE TABLE ${schema}.time (
    start_time TIMESTAMP NOT NULL,
    hour INTEGER NOT NULL,
    day INTEGER NOT NULL,
    week INTEGER NOT NULL,
    month INTEGER NOT NULL,
    year INTEGER NOT NULL,
    weekday INTEGER NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) SORTKEY (start_time);

-- An event is (user_id, session_id, item_in_session, start_time); songplay_id is a surrogate with gaps.
CREATE TABLE ${schema}.songplays (
    songplay_id BIGINT IDENTITY (0, 1) NOT NULL,
    start_time TIMESTAMP NOT NULL,
    user_id INTEGER NOT NULL,
    level VARCHAR(16),
    song_id VARCHAR(64),
    artist_id VARCHAR(64),
    session_id INTEGER NOT NULL,
    location VARCHAR(1024),
    user_agent VARCHAR(1024),
    item_in_session INTEGER NOT NULL,
    title VARCHAR(1024),
    artist_name VARCHAR(1024),
    length DOUBLE PRECISION,
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) DISTKEY (session_id) SORTKEY (start_time);

-- What each batch says of a user: its newest event. users holds the best of them; undo takes a load's away and decides anew.
CREATE TABLE ${schema}.user_versions (
    user_id INTEGER NOT NULL,
    first_name VARCHAR(256),
    last_name VARCHAR(256),
    gender VARCHAR(16),
    level VARCHAR(16),
    start_time TIMESTAMP NOT NULL,
    session_id INTEGER NOT NULL,
    item_in_session INTEGER NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) SORTKEY (load_id, batch);

-- What each batch says of a song; songs holds the smallest of them.
CREATE TABLE ${schema}.song_versions (
    song_id VARCHAR(64) NOT NULL,
    title VARCHAR(1024),
    artist_id VARCHAR(64) NOT NULL,
    year INTEGER,
    duration DOUBLE PRECISION,
    artist_name VARCHAR(1024),
    artist_location VARCHAR(1024),
    artist_latitude DOUBLE PRECISION,
    artist_longitude DOUBLE PRECISION,
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) SORTKEY (load_id, batch);

-- Facts that an event of the same key with a smaller content has replaced; undo of that one's load puts them back.
CREATE TABLE ${schema}.songplay_versions (
    start_time TIMESTAMP NOT NULL,
    user_id INTEGER NOT NULL,
    level VARCHAR(16),
    session_id INTEGER NOT NULL,
    location VARCHAR(1024),
    user_agent VARCHAR(1024),
    item_in_session INTEGER NOT NULL,
    title VARCHAR(1024),
    artist_name VARCHAR(1024),
    length DOUBLE PRECISION,
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) DISTKEY (session_id) SORTKEY (start_time);

-- The ledger: one row for each time that a load dealt with a file. A file is (bucket, key, etag).
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

-- Rows of a batch that were left out because they are there already, by the load under which they are there (its own too).
CREATE TABLE ${schema}.left_out (
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL,
    dataset VARCHAR(64) NOT NULL,
    of_load_id VARCHAR(64) NOT NULL,
    left_rows BIGINT NOT NULL
) SORTKEY (load_id, batch);

-- Loads that were undone: nothing more is ever published for them.
CREATE TABLE ${schema}.undone (
    load_id VARCHAR(64) NOT NULL,
    undone_by VARCHAR(64) NOT NULL,
    execution VARCHAR(1024) NOT NULL,
    undone_at TIMESTAMP NOT NULL DEFAULT GETDATE()
);

-- What a load has cost beside the warehouse: the state machine's transitions, its functions, their calls.
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

-- "Where is my file?": the newest word of the ledger on each (bucket, key, etag). One that is loaded is loaded, whatever was said of
-- it since: that its object is gone, when its event was repeated.
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

-- Keys of records that no column takes, as samples of loads have seen them: a row when a key is new, and at most one a day after that.
CREATE TABLE ${schema}.key_sightings (
    dataset VARCHAR(64) NOT NULL,
    path VARCHAR(256) NOT NULL,
    key VARCHAR(1024) NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    seen_at TIMESTAMP NOT NULL DEFAULT GETDATE()
) SORTKEY (dataset, path);

-- How many rows each load has staged of a dataset, and in how many each column is filled. told: that it is empty was told of this load.
CREATE TABLE ${schema}.column_figures (
    dataset VARCHAR(64) NOT NULL,
    column_name VARCHAR(127) NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    rows_staged BIGINT NOT NULL,
    filled BIGINT NOT NULL,
    told INTEGER NOT NULL,
    recorded_at TIMESTAMP NOT NULL DEFAULT GETDATE()
) SORTKEY (dataset, column_name);

-- The keys that no column takes: where each was seen first, and when last.
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
