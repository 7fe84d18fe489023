-- COPY reports every file of the batch that is recorded as loaded (an empty file has 0 lines). Runs in the publish transaction.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${schema}.files
WHERE load_id = :load_id AND batch = :batch AND status = 'loaded' AND lines IS NULL
