-- Version 3: what nobody but the loader may read has a schema of its own, on which readers have no rights: a reader of the lock's table
-- would block all loads. Runs once, in one transaction (functions/migrate.py).
-- The old lock goes, under its own lock: a publish of the previous version that waits for it fails, and is tried again with the new one.
LOCK ${schema}.publish_lock;

-- A mutex: every transaction that writes the star schema or the ledger locks it first and then updates its one row.
CREATE TABLE ${loader_schema}.publish_lock (
    holder VARCHAR(64) NOT NULL
);

INSERT INTO ${loader_schema}.publish_lock (holder) VALUES ('none');

-- Parent of each load's own staging table; its types are the star schema's, so that COPY is the only gate.
CREATE TABLE ${loader_schema}.event_stage (
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
) DISTKEY (session_id);

CREATE TABLE ${loader_schema}.song_stage (
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
CREATE TABLE ${loader_schema}.file_plan (
    seq BIGINT,
    bucket VARCHAR(64),
    key VARCHAR(1024),
    etag VARCHAR(256)
) DISTKEY (key);

DROP TABLE ${schema}.publish_lock, ${schema}.event_stage, ${schema}.song_stage, ${schema}.file_plan;

INSERT INTO ${schema}.schema_version (version) VALUES (3);
