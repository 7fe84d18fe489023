-- Version 3: what nobody but the loader may read has a schema of its own, on which readers have no rights: a reader of the lock's table
-- would block all loads. The new tables are created by loader_tables.sql. Runs once, in one transaction (functions/migrate.py).
-- The old lock goes, under its own lock: a publish of the previous version that waits for it fails, and is tried again with the new one.
LOCK ${schema}.publish_lock;

DROP TABLE ${schema}.publish_lock, ${schema}.event_stage, ${schema}.song_stage, ${schema}.file_plan;

INSERT INTO ${schema}.schema_version (version) VALUES (3);
