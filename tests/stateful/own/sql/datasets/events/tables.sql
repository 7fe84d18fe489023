-- The tables of events, as they are now. Runs whenever one of them is missing (functions/migrate.py), and changes nothing that exists. The
-- staging parent is dropped first: if its schema was kept when the other was dropped, it may be of another version.
DROP TABLE IF EXISTS ${loader_schema}.code_event_stage;

-- Parent of each batch's staging table; its types are those of events, so that COPY is the only gate.
CREATE TABLE IF NOT EXISTS ${loader_schema}.code_event_stage (
    id VARCHAR(32),
    type VARCHAR(64),
    actor_id BIGINT,
    actor_login VARCHAR(128),
    repo_id BIGINT,
    repo_name VARCHAR(256),
    org_login VARCHAR(128),
    public BOOLEAN,
    created_at TIMESTAMP,
    payload_action VARCHAR(64),
    payload_size VARCHAR(64),
    payload VARCHAR(65535)
);

-- No key is used: every row of a file is a row here.
CREATE TABLE IF NOT EXISTS ${schema}.events (
    id VARCHAR(32) NOT NULL,
    type VARCHAR(64) NOT NULL,
    actor_id BIGINT,
    actor_login VARCHAR(128),
    repo_id BIGINT,
    repo_name VARCHAR(256),
    org_login VARCHAR(128),
    public BOOLEAN,
    created_at TIMESTAMP NOT NULL,
    payload_action VARCHAR(64),
    payload_size VARCHAR(64),
    payload VARCHAR(65535),
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) SORTKEY (created_at);
