-- Run once by an administrator of the database, before the first load. Replace the names:
--   IAMR:s3-redshift-loader-loader  the loader's database user: 'IAMR:' and the stack's output LoaderRoleName
--   dev                      the database
--   sparkify                 the schema, as the stack's parameter SchemaName has it; the other has '_loader' behind it
-- The loader logs in with temporary credentials of its IAM role: no password exists. If it has logged in before (a preflight, a
-- sweep), Redshift has created the user already: leave CREATE USER out. With the stack's parameter DbUser or SecretArn the user is
-- that one: leave CREATE USER out, and give the rest to it.
CREATE USER "IAMR:s3-redshift-loader-loader" PASSWORD DISABLE;

-- The loader creates tables in two schemas and owns them: the star schema with its ledger, for everybody, and the lock and the staging
-- tables, for nobody else. It needs no right on any other schema.
CREATE SCHEMA IF NOT EXISTS sparkify AUTHORIZATION "IAMR:s3-redshift-loader-loader";

CREATE SCHEMA IF NOT EXISTS sparkify_loader AUTHORIZATION "IAMR:s3-redshift-loader-loader";

-- Plans are compared with the ledger, and batches are published, by way of temporary tables.
GRANT TEMPORARY ON DATABASE dev TO "IAMR:s3-redshift-loader-loader";
