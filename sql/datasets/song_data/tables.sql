-- The tables of song files, as they are now: the parent of each batch's staging table, the tables for readers, and the versions that undo
-- needs. Runs whenever one of them is missing, as log_data's.
-- The staging parent is dropped first: if its schema was kept when the other was dropped, it may be of another version.
DROP TABLE IF EXISTS ${loader_schema}.song_stage;

-- Parent of each batch's staging table.
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

-- artist_*: the artist as this song's file has it. A play matches on artist_name; the rows of artists come from these columns.
CREATE TABLE IF NOT EXISTS ${schema}.songs (
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
CREATE TABLE IF NOT EXISTS ${schema}.artists (
    artist_id VARCHAR(64) NOT NULL,
    name VARCHAR(1024),
    location VARCHAR(1024),
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    as_of_song_id VARCHAR(64) NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) SORTKEY (artist_id);

-- What each batch says of a song; songs has the smallest of them.
CREATE TABLE IF NOT EXISTS ${schema}.song_versions (
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
