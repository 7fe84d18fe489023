-- The version of the tables. Runs before migrations; the error that the relation does not exist means version 0.
SELECT MAX(version) AS version
FROM ${schema}.schema_version;
