-- The rows that a batch of ratings wrote. Runs in the publish step, as a part of publish/figures.sql.
SELECT CAST('rows' AS VARCHAR(16)) AS kind, CAST('ratings' AS VARCHAR(128)) AS name, COUNT(*) AS figure, CAST(NULL AS BIGINT) AS expected
FROM ${schema}.ratings
WHERE
    load_id = '${load_id}'
    AND batch = '${batch}'
    AND rated_at BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
