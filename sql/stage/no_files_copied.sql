-- Replaces files_copied.sql after a staging failed on it: COPY's report is read later. Runs in the stage step.
CREATE TEMPORARY TABLE files_copied (
    file_name VARCHAR(256),
    etag VARCHAR(256),
    lines BIGINT
);
