-- Opens every publish transaction. Runs before the dataset's own statements (functions/publish.py).
-- LOCK is the first statement: the snapshot is taken at the first SELECT, DML or DDL, so everything that follows sees what the previous
-- publisher committed (docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html).
LOCK ${loader_schema}.publish_lock;

-- A safeguard: if the snapshot was older than the previous publisher's commit after all, this is a conflict of two updates, which fails
-- and is retried; without it, two inserts would both succeed and double their rows
-- (docs.aws.amazon.com/redshift/latest/dg/r_CREATE_DATABASE.html, ISOLATION LEVEL SNAPSHOT).
UPDATE ${loader_schema}.publish_lock
SET holder = '${load_id}';
