-- The rows that a batch of events wrote. Runs in the publish step, as a part of publish/figures.sql.
SELECT CAST('rows' AS VARCHAR(16)) AS kind, CAST('events' AS VARCHAR(128)) AS name, COUNT(*) AS figure, CAST(NULL AS BIGINT) AS expected
FROM ${schema}.events
WHERE
    load_id = '${load_id}'
    AND batch = '${batch}'
    AND created_at BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
