-- Every row that COPY says it loaded is staged, and no other. Runs in the publish transaction.
SELECT
    COUNT(*) AS figure,
    CAST(:rows_copied AS BIGINT) AS expected
FROM ${schema}.${stage_table}
