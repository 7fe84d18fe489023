-- Creates one of the loader's two schemas, if an administrator has not (admin/setup.sql). Runs only if it does not exist: with
-- IF NOT EXISTS too the loader would need the right to create schemas in the database, which setup.sql does not give.
CREATE SCHEMA ${new_schema};
