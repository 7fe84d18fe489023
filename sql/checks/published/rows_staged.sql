-- What is published was staged whole: the rows in staging are still those that the audit counted. Runs in the publish transaction.
SELECT
    COUNT(*) AS figure,
    CAST(:rows_staged AS BIGINT) AS expected
FROM ${schema}.${stage_table}
