-- The tables in the loader's own schema, on which readers have no rights: the lock and the parents of the staging tables. Runs after the
-- migrations, and whenever a load misses a table (functions/migrate.py): it changes nothing that exists, and none of these tables holds
-- data, so that a dropped schema costs nothing. In one transaction.
-- A mutex: every transaction that writes the star schema or the ledger locks it first and then updates its one row. A reset keeps it.
CREATE TABLE IF NOT EXISTS ${loader_schema}.publish_lock (
    holder VARCHAR(64) NOT NULL
);

INSERT INTO ${loader_schema}.publish_lock (holder)
SELECT CAST('none' AS VARCHAR(64))
FROM (
    SELECT COUNT(*) AS holders
    FROM ${loader_schema}.publish_lock
) AS k
WHERE k.holders = 0;

-- Parent of each load's own staging table; its types are the star schema's, so that COPY is the only gate.
CREATE TABLE IF NOT EXISTS ${loader_schema}.event_stage (
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

CREATE TABLE IF NOT EXISTS ${loader_schema}.song_stage (
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
CREATE TABLE IF NOT EXISTS ${loader_schema}.file_plan (
    seq BIGINT,
    bucket VARCHAR(64),
    key VARCHAR(1024),
    etag VARCHAR(256)
) DISTKEY (key);
