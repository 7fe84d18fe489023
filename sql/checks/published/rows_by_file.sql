-- COPY accounts for the staged rows file by file: it reports every file of the batch, or the lines of those that it reports are
-- all the rows, with or without the header lines that COPY skips in each (a file without rows may go unreported).
-- Counts the unreported files otherwise. Runs in the publish transaction.
SELECT
    CASE
        WHEN COALESCE(SUM(f.lines), 0) = CAST(:rows_staged AS BIGINT) THEN 0
        WHEN
            SUM(f.lines) - SUM(CASE WHEN f.lines > 0 THEN CAST(:header_lines AS BIGINT) ELSE 0 END)
            = CAST(:rows_staged AS BIGINT) THEN 0
        ELSE SUM(CASE WHEN f.lines IS NULL THEN 1 ELSE 0 END)
    END AS figure,
    0 AS expected
FROM ${schema}.files AS f
WHERE f.load_id = :load_id AND f.batch = :batch AND f.status = 'loaded'
