-- Version 4: facts of one session are on one slice, as in staging, so that no row moves for the joins of a publish, and the checks of a
-- batch are read without a scan. Each statement is a transaction of its own: it locks its table while rows are moved, and may be run
-- again by hand if it fails (functions/migrate.py reports that and goes on: loads work without it).
-- docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
ALTER TABLE ${schema}.songplays ALTER DISTKEY session_id;

ALTER TABLE ${schema}.songplay_versions ALTER DISTKEY session_id;

ALTER TABLE ${schema}.files ALTER DISTKEY key;

ALTER TABLE ${schema}.check_results ALTER SORTKEY (load_id, batch);

ALTER TABLE ${schema}.left_out ALTER SORTKEY (load_id, batch);

INSERT INTO ${schema}.schema_version (version) VALUES (4);
