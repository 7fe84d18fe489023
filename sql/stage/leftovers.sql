-- The tables of the two schemas (older versions staged in the first), to find staging tables that a load left behind. Runs on reset, and at the end of a sweep's load.
SELECT tablename
FROM pg_tables
WHERE schemaname IN ('${schema}', '${loader_schema}');
