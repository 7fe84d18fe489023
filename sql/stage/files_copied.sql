-- What COPY reports of each file: the ETag that it read and the lines. Runs in the stage step, after COPY, in its session; the audit reads
-- the temporary table, so that there is one result. file_name is char(256): longer names are cut. System views are queried like other
-- tables, and their rows can be copied into tables (docs.aws.amazon.com/redshift/latest/dg/cm_chap_system-tables.html).
CREATE TEMPORARY TABLE files_copied AS
SELECT
    TRIM(file_name) AS file_name,
    MAX(TRIM(file_etag)) AS etag,
    SUM(lines_scanned) AS lines
FROM sys_load_detail
WHERE query_id = PG_LAST_COPY_ID()
GROUP BY TRIM(file_name);
