-- The tables of both schemas (older versions staged in the first), to find staging tables that a load left behind. Runs on reset, and at
-- the end of a sweep's load. pg_tables and not svv_tables, which also asks external catalogues
-- (docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLES.html).
SELECT tablename
FROM pg_tables
WHERE schemaname IN ('${schema}', '${loader_schema}');
