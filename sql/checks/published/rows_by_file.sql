-- COPY accounts for the staged rows. figure: the number of files that Redshift has not reported. That number is expected, and recorded
-- without failing the batch, if COPY's own count equals the staged rows (the manifest's files are mandatory, so COPY has read every one)
-- or if the lines of the reported files are all the rows and those that COPY refused, with or without the header lines that COPY skips in
-- each file (a file without rows may go unreported). Otherwise 0 is expected. Runs in the publish transaction.
SELECT
    u.unreported AS figure,
    CASE
        WHEN CAST(${rows_copied} AS BIGINT) = CAST(${rows_staged} AS BIGINT) THEN u.unreported
        WHEN u.lines = CAST(${rows_staged} AS BIGINT) + CAST(${rows_refused} AS BIGINT) THEN u.unreported
        WHEN u.lines - u.headers = CAST(${rows_staged} AS BIGINT) + CAST(${rows_refused} AS BIGINT) THEN u.unreported
        ELSE 0
    END AS expected
FROM (
    SELECT
        COALESCE(SUM(CASE WHEN f.lines IS NULL THEN 1 ELSE 0 END), 0) AS unreported,
        COALESCE(SUM(f.lines), 0) AS lines,
        COALESCE(SUM(CASE WHEN f.lines > 0 THEN CAST(${header_lines} AS BIGINT) ELSE 0 END), 0) AS headers
    FROM ${schema}.files AS f
    WHERE f.load_id = '${load_id}' AND f.batch = '${batch}' AND f.status = 'loaded'
) AS u
