-- Every row that COPY says it loaded is staged. Runs after COPY, in its transaction.
SELECT
    COUNT(*) AS figure,
    pg_last_copy_count() AS expected
FROM ${schema}.${stage_table}
