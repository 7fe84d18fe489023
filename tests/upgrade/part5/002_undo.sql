-- Version 2: what it takes to undo a load, and to let the data and not the arrival decide between two files.
-- Runs once, in one transaction (functions/migrate.py).

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
) SORTKEY (start_time);

-- Rows of a batch that were left out because they are there already, by the load under which they are there (its own too).
CREATE TABLE ${schema}.left_out (
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL,
    dataset VARCHAR(64) NOT NULL,
    of_load_id VARCHAR(64) NOT NULL,
    left_rows BIGINT NOT NULL
);

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

-- What is there already was decided without versions: its rows are its versions. Undo refuses the loads that brought it.
INSERT INTO ${schema}.user_versions (
    user_id, first_name, last_name, gender, level, start_time, session_id, item_in_session, load_id, batch
)
SELECT
    user_id, first_name, last_name, gender, level,
    as_of_start_time, as_of_session_id, as_of_item_in_session, load_id, batch
FROM ${schema}.users;

INSERT INTO ${schema}.song_versions (
    song_id, title, artist_id, year, duration,
    artist_name, artist_location, artist_latitude, artist_longitude, load_id, batch
)
SELECT
    song_id, title, artist_id, year, duration,
    artist_name, artist_location, artist_latitude, artist_longitude, load_id, batch
FROM ${schema}.songs;

-- "Where is my file?": the newest word of the ledger on each (bucket, key, etag). One that is loaded is loaded, whatever was said of
-- it since: that its object is gone, when its event was repeated.
CREATE OR REPLACE VIEW ${schema}.file_status AS
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

INSERT INTO ${schema}.schema_version (version) VALUES (2);
