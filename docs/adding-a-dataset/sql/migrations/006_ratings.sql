-- Version 6: ratings of songs. Runs once, in one transaction (functions/migrate.py).

-- Of a schema that was dropped without the loader's own.
DROP TABLE IF EXISTS ${loader_schema}.rating_stage;

-- Parent of each load's own staging table; its types are those of ratings, so that COPY is the only gate.
CREATE TABLE ${loader_schema}.rating_stage (
    user_id INTEGER,
    song_id VARCHAR(64),
    stars SMALLINT,
    rated_at TIMESTAMP,
    remark VARCHAR(1024)
);

-- A rating has no key: two listeners who are not logged in may say the same of a song in the same second.
CREATE TABLE ${schema}.ratings (
    user_id INTEGER,
    song_id VARCHAR(64) NOT NULL,
    stars SMALLINT NOT NULL,
    rated_at TIMESTAMP NOT NULL,
    remark VARCHAR(1024),
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) SORTKEY (rated_at);

INSERT INTO ${schema}.schema_version (version) VALUES (6);
