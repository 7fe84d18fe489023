-- Makes the schema, if an administrator has not (admin/setup.sql). Runs only if it is not there: with IF NOT EXISTS too the
-- loader would need the right to create schemas in the database, which setup.sql does not give.
CREATE SCHEMA ${schema};
