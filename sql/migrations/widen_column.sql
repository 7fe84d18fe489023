-- Makes a VARCHAR longer. Runs alone, each column a transaction of its own: ALTER COLUMN is refused inside a transaction block
-- (functions/migrate.py; docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html).
ALTER TABLE ${schema}.${result_table} ALTER COLUMN "${column}" TYPE ${declaration};
