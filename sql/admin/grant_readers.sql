-- Lets a group read the star schema, now and after a reset. Run it as an administrator, or as the user that owns the schema.
-- Readers get nothing in the loader's own schema (sparkify_loader): a reader of the lock's table would block every load.
-- Replace the names: analysts (the group), sparkify (the schema), IAMR:s3-redshift-loader-loader (the loader's database user).
CREATE GROUP analysts;

GRANT USAGE ON SCHEMA sparkify TO GROUP analysts;

GRANT SELECT ON ALL TABLES IN SCHEMA sparkify TO GROUP analysts;

-- Tables that the loader creates later, by a reset or an upgrade, are readable from the start.
ALTER DEFAULT PRIVILEGES FOR USER "IAMR:s3-redshift-loader-loader" IN SCHEMA sparkify
GRANT SELECT ON TABLES TO GROUP analysts;
