-- The tables of ratings, as they are now. Runs whenever one of them is missing (functions/migrate.py), and changes nothing that exists.
-- The staging parent is dropped first: if its schema was kept when the other was dropped, it may be of another version.
DROP TABLE IF EXISTS ${loader_schema}.rating_stage;

-- Parent of each batch's staging table; its types are those of ratings, so that COPY is the only gate.
CREATE TABLE IF NOT EXISTS ${loader_schema}.rating_stage (
    user_id INTEGER,
    song_id VARCHAR(64),
    stars SMALLINT,
    rated_at TIMESTAMP,
    remark VARCHAR(1024)
);

-- A rating has no key: two listeners who are not logged in may give a song the same stars in the same second.
CREATE TABLE IF NOT EXISTS ${schema}.ratings (
    user_id INTEGER,
    song_id VARCHAR(64) NOT NULL,
    stars SMALLINT NOT NULL,
    rated_at TIMESTAMP NOT NULL,
    remark VARCHAR(1024),
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) SORTKEY (rated_at);
