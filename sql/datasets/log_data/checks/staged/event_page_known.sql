-- Every event has a page and a time: a file of another kind would load as NULLs. An empty or blank page counts as none. Runs after COPY of
-- log files.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${event_stage}
WHERE COALESCE(TRIM(page), '') = '' OR ts IS NULL
