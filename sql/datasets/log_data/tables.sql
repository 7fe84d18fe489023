-- The tables of log files, as they are now: the parent of each batch's staging table, the tables for readers, and the versions that undo
-- needs. Runs whenever one of them is missing (functions/migrate.py): in a new warehouse, after {"reset": true}, and after a deploy that
-- brought the dataset. It changes nothing that exists; to change an existing table, add a file to migrations/.
-- No keys are declared: Redshift does not enforce them, but plans as if they held, and the checks could no longer see a violation
-- (docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html). The SQL in publish/ keeps them true.
-- DISTKEY (session_id): every join of staged plays and facts is on it, so that no row moves between nodes for it.
-- The staging parent is dropped first: if its schema was kept when the other was dropped, it may be of another version.
DROP TABLE IF EXISTS ${loader_schema}.event_stage;

-- Parent of each batch's staging table; its types are those of the tables below, so that COPY is the only gate.
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

-- as_of_*: the newest event of the user, which decided the row; an older event never changes it.
CREATE TABLE IF NOT EXISTS ${schema}.users (
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

CREATE TABLE IF NOT EXISTS ${schema}.time (
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
CREATE TABLE IF NOT EXISTS ${schema}.songplays (
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

-- What each batch says of a user: its newest event. users has the newest of them; undo deletes a load's and decides again.
CREATE TABLE IF NOT EXISTS ${schema}.user_versions (
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

-- Facts that an event of the same key with a smaller content has replaced; undo of that event's load puts them back.
CREATE TABLE IF NOT EXISTS ${schema}.songplay_versions (
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
