-- COPY accounts for the staged rows file by file: it reports every file of the batch, or the lines of those that it reports are
-- all the rows, with or without the header lines that COPY skips in each (a file without rows may go unreported).
-- Counts the unreported files otherwise. Runs in the publish transaction.
SELECT
    CASE
        WHEN COALESCE(SUM(f.lines), 0) = ${rows_staged} THEN 0
        WHEN
            SUM(f.lines) - SUM(CASE WHEN f.lines > 0 THEN ${header_lines} ELSE 0 END)
            = ${rows_staged} THEN 0
        ELSE SUM(CASE WHEN f.lines IS NULL THEN 1 ELSE 0 END)
    END AS figure,
    0 AS expected
FROM ${schema}.files AS f
WHERE f.load_id = '${load_id}' AND f.batch = '${batch}' AND f.status = 'loaded'
