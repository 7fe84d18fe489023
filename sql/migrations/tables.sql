-- The tables of the loader's two schemas, to find missing ones. Runs after migrations, and whenever a load misses a table.
SELECT
    schemaname,
    tablename
FROM pg_tables
WHERE schemaname IN ('${schema}', '${loader_schema}');
