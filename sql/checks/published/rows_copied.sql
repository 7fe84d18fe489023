-- The staged rows are those that COPY says it loaded; if COPY's count is not known, every row that was staged is still there. Runs in the
-- publish transaction.
SELECT
    COUNT(*) AS figure,
    COALESCE(CAST(${rows_copied} AS BIGINT), CAST(${rows_staged} AS BIGINT)) AS expected
FROM ${loader_schema}.${stage_table}
