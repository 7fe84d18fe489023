-- Every event says its page and its time: a file of something else would load as NULLs. Runs after COPY of log files.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${event_stage}
WHERE page IS NULL OR ts IS NULL
