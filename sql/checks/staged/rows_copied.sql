-- Every row that COPY says it loaded is staged. Runs after COPY, in its transaction.
SELECT
    COUNT(*) AS figure,
    PG_LAST_COPY_COUNT() AS expected
FROM ${schema}.${stage_table}
