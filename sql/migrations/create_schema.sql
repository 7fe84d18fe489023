-- Creates one of the loader's two schemas if an administrator has not (admin/setup.sql). Runs only if it does not exist: even with IF NOT
-- EXISTS the loader would need the right to create schemas in the database, which setup.sql does not grant.
CREATE SCHEMA ${new_schema};
