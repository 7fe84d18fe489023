-- What COPY has refused, with MAXERROR: its errors by file and line, and how many there are. Runs after the stage transaction, repeatedly
-- for a minute until they are complete, because the views may lag behind. Found by the staging table, which no other COPY uses.
SELECT
    TRIM(e.file_name) AS file_name,
    e.line_number,
    TRIM(e.column_name) AS column_name,
    e.error_code,
    TRIM(e.error_message) AS error_message,
    h.error_count
FROM sys_load_history AS h
LEFT JOIN sys_load_error_detail AS e ON h.query_id = e.query_id
WHERE TRIM(h.table_name) = '${stage_table}';
