-- The tables of both schemas (older versions staged in the star schema's), to find staging tables that a load left behind. Runs on reset,
-- and at the end of a sweep's load. pg_tables and not svv_tables, which also queries external catalogs
-- (docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLES.html).
SELECT tablename
FROM pg_tables
WHERE schemaname IN ('${schema}', '${loader_schema}');
