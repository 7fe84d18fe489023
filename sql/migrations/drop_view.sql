-- Drops the view of a dataset's history, which the next statements make anew: CREATE OR REPLACE takes a view with the same columns and
-- types only. Runs behind the lock, when the dataset's contract has changed (functions/migrate.py).
-- docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
DROP VIEW IF EXISTS ${schema}.${result_table};
