-- Whether the schema is there. Runs before migrations.
SELECT COUNT(*) AS schemas
FROM pg_namespace
WHERE nspname = CAST(:schema_name AS VARCHAR(128));
