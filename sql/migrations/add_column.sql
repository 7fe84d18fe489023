-- Adds a column that a contract has and the table has not; existing rows have NULL there, or the column's default. Runs behind the lock
-- (functions/migrate.py). docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
ALTER TABLE ${schema}.${result_table} ADD COLUMN "${column}" ${declaration};
