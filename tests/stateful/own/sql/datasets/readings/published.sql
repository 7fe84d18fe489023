-- The rows that a batch of readings wrote. Runs in the publish step, as a part of publish/figures.sql.
SELECT CAST('rows' AS VARCHAR(16)) AS kind, CAST('readings' AS VARCHAR(128)) AS name, COUNT(*) AS figure, CAST(NULL AS BIGINT) AS expected
FROM ${schema}.readings
WHERE
    load_id = '${load_id}'
    AND batch = '${batch}'
    AND ts BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
