-- The rows that COPY says it loaded. Runs in the stage step, after COPY, in its session; a statement of its own, as AWS's sample has it
-- (docs.aws.amazon.com/redshift/latest/dg/PG_LAST_COPY_COUNT.html).
SELECT PG_LAST_COPY_COUNT() AS copied;
