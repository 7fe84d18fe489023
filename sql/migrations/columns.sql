-- The columns of the tables of results with their types, to compare them with the contracts. Runs when a contract is not the one that the
-- tables have (functions/migrate.py). docs.aws.amazon.com/redshift/latest/dg/r_SVV_COLUMNS.html
SELECT
    table_name,
    column_name,
    data_type,
    character_maximum_length,
    numeric_precision,
    numeric_scale
FROM svv_columns
WHERE table_schema = '${schema}';
