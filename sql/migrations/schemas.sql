-- Which of the loader's two schemas exist. Runs before migrations.
SELECT nspname
FROM pg_namespace
WHERE nspname IN ('${schema}', '${loader_schema}');
