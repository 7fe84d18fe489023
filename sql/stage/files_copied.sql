-- What COPY says of each file: the ETag that it read and the lines; and of all files, the rows that it loaded.
-- Runs in the stage step, after COPY, in its session. file_name is char(256): longer names are cut.
SELECT
    TRIM(file_name) AS file_name,
    MAX(TRIM(file_etag)) AS etag,
    SUM(lines_scanned) AS lines,
    PG_LAST_COPY_COUNT() AS copied
FROM sys_load_detail
WHERE query_id = PG_LAST_COPY_ID()
GROUP BY TRIM(file_name);
