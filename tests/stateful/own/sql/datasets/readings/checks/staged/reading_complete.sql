-- Every reading has its device and its time. Runs after COPY of readings.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${reading_stage}
WHERE COALESCE(TRIM(device_id), '') = '' OR ts IS NULL
