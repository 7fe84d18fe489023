-- Every event has its id, its type and its time. Runs after COPY of events.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${code_event_stage}
WHERE COALESCE(TRIM(id), '') = '' OR COALESCE(TRIM(type), '') = '' OR created_at IS NULL
