-- The tables of readings, as they are now. Runs whenever one of them is missing (functions/migrate.py), and changes nothing that exists.
-- The staging parent is dropped first: if its schema was kept when the other was dropped, it may be of another version.
DROP TABLE IF EXISTS ${loader_schema}.reading_stage;

-- Parent of each batch's staging table; its types are those of readings, so that COPY is the only gate.
CREATE TABLE IF NOT EXISTS ${loader_schema}.reading_stage (
    ts TIMESTAMP,
    device_id VARCHAR(64),
    temperature_c DECIMAL(8, 2),
    humidity_pct DECIMAL(8, 2),
    battery_v DECIMAL(8, 3)
);

-- No key is used: every row of a file is a row here.
CREATE TABLE IF NOT EXISTS ${schema}.readings (
    ts TIMESTAMP NOT NULL,
    device_id VARCHAR(64) NOT NULL,
    temperature_c DECIMAL(8, 2),
    humidity_pct DECIMAL(8, 2),
    battery_v DECIMAL(8, 3),
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) SORTKEY (ts);
