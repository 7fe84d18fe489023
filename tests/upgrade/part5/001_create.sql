-- Version 1: staging parents, star schema and ledger.
-- Runs once, in one transaction, before the first load (functions/migrate.py).
-- No keys are declared: Redshift enforces none, but plans as if they held, and the checks could no longer see that they do not
-- (docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html). The SQL in publish/ keeps them true.
-- GETDATE() and not SYSDATE, which is the transaction's start: a publish that waited for the lock is newer than it began.
CREATE TABLE ${schema}.schema_version (
    version INTEGER NOT NULL,
    applied_at TIMESTAMP NOT NULL DEFAULT GETDATE()
);

-- A mutex: every transaction that writes the star schema or the ledger locks it first. It never has a row.
CREATE TABLE ${schema}.publish_lock (
    holder VARCHAR(64)
);

-- Parent of each load's own staging table; its types are the star schema's, so that COPY is the only gate.
CREATE TABLE ${schema}.event_stage (
    artist VARCHAR(1024),
    auth VARCHAR(64),
    first_name VARCHAR(256),
    gender VARCHAR(16),
    item_in_session INTEGER,
    last_name VARCHAR(256),
    length DOUBLE PRECISION,
    level VARCHAR(16),
    location VARCHAR(1024),
    method VARCHAR(16),
    page VARCHAR(64),
    registration DOUBLE PRECISION,
    session_id INTEGER,
    song VARCHAR(1024),
    status INTEGER,
    ts TIMESTAMP,
    user_agent VARCHAR(1024),
    user_id INTEGER
);

CREATE TABLE ${schema}.song_stage (
    num_songs INTEGER,
    artist_id VARCHAR(64),
    artist_latitude DOUBLE PRECISION,
    artist_longitude DOUBLE PRECISION,
    artist_location VARCHAR(1024),
    artist_name VARCHAR(1024),
    song_id VARCHAR(64),
    title VARCHAR(1024),
    duration DOUBLE PRECISION,
    year INTEGER
);

-- Parent of the temporary table in which a plan is compared with the ledger.
CREATE TABLE ${schema}.file_plan (
    seq BIGINT,
    bucket VARCHAR(64),
    key VARCHAR(1024),
    etag VARCHAR(256)
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
) SORTKEY (start_time);

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
) SORTKEY (bucket, key);

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
);

-- "Where is my file?": the newest word of the ledger on each (bucket, key, etag).
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
            ORDER BY f.recorded_at DESC, f.load_id DESC, f.batch DESC
        ) AS newest
    FROM ${schema}.files AS f
) AS ranked
WHERE newest = 1;

INSERT INTO ${schema}.schema_version (version) VALUES (1);
