-- Every event says its page and its time: a file of something else would load as NULLs. An empty or blank page says nothing. Runs after
-- COPY of log files.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${event_stage}
WHERE COALESCE(TRIM(page), '') = '' OR ts IS NULL
