-- The number of rows that COPY says it loaded. Runs in the stage step, after COPY, in its session. It is a separate statement, as in AWS's
-- sample (docs.aws.amazon.com/redshift/latest/dg/PG_LAST_COPY_COUNT.html).
SELECT PG_LAST_COPY_COUNT() AS copied;
