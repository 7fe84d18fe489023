-- Run once by an administrator of the database, before the first load. Replace the names:
--   IAMR:s3-redshift-loader-loader  the loader's database user: 'IAMR:' followed by the stack's output LoaderRoleName
--   dev                      the database
--   sparkify                 the schema, the stack's parameter SchemaName; the other schema has the suffix '_loader'
-- The loader logs in with temporary credentials of its IAM role, so there is no password. If it has logged in before (a preflight, a
-- sweep), Redshift has already created the user: leave CREATE USER out. With the stack's parameter DbUser or SecretArn the loader is
-- that user: leave CREATE USER out, and grant the rest to it.
CREATE USER "IAMR:s3-redshift-loader-loader" PASSWORD DISABLE;

-- The loader creates tables in two schemas and owns them: one has the star schema and the ledger, for readers; the other has the lock and
-- the staging tables, for the loader alone. It needs no right on any other schema.
CREATE SCHEMA IF NOT EXISTS sparkify AUTHORIZATION "IAMR:s3-redshift-loader-loader";

CREATE SCHEMA IF NOT EXISTS sparkify_loader AUTHORIZATION "IAMR:s3-redshift-loader-loader";

-- Plans are compared with the ledger, and batches are published, with temporary tables.
GRANT TEMPORARY ON DATABASE dev TO "IAMR:s3-redshift-loader-loader";
