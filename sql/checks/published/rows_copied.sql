-- Every row that COPY says it loaded is staged, and no other. Runs in the publish transaction.
SELECT
    COUNT(*) AS figure,
    ${rows_copied} AS expected
FROM ${loader_schema}.${stage_table}
