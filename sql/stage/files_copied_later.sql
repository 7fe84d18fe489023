-- COPY's report of the files once more, after its transaction: found by the staging table, which no other COPY uses, together with the
-- number of rows that COPY loaded. Runs in the stage step, repeatedly for a minute, if COPY had not reported every file: the view may lag
-- behind.
SELECT
    TRIM(d.file_name) AS file_name,
    MAX(TRIM(d.file_etag)) AS etag,
    SUM(d.lines_scanned) AS lines,
    MAX(h.loaded_rows) AS copied
FROM sys_load_detail AS d
INNER JOIN sys_load_history AS h ON d.query_id = h.query_id
WHERE TRIM(h.table_name) = '${stage_table}'
GROUP BY TRIM(d.file_name);
