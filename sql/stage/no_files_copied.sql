-- Takes the place of files_copied.sql in a staging that failed on it before: COPY's report is asked for later. Runs in the stage step.
CREATE TEMPORARY TABLE files_copied (
    file_name VARCHAR(256),
    etag VARCHAR(256),
    lines BIGINT
);
