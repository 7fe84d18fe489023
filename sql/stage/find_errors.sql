-- The first error of each file that the last COPY met, and the number of errors. Runs after COPY … NOLOAD, in its session.
SELECT
    TRIM(e.file_name) AS file_name,
    e.line_number,
    TRIM(e.column_name) AS column_name,
    e.error_code,
    TRIM(e.error_message) AS error_message,
    e.errors
FROM (
    SELECT
        d.file_name,
        d.line_number,
        d.column_name,
        d.error_code,
        d.error_message,
        COUNT(*) OVER (PARTITION BY d.file_name) AS errors,
        ROW_NUMBER() OVER (PARTITION BY d.file_name ORDER BY d.line_number, d.position) AS place
    FROM sys_load_error_detail AS d
    WHERE d.query_id = ${query}
) AS e
WHERE e.place = 1;
