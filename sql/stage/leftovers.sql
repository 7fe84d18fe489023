-- The tables of the schema, to find staging tables that a load left behind. Runs on reset, and at the end of a sweep's load.
SELECT table_name
FROM svv_tables
WHERE table_schema = CAST(:schema_name AS VARCHAR(128)) AND table_type = 'BASE TABLE'
