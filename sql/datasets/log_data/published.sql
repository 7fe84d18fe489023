-- The rows that a batch of log files wrote, by table. Runs in the publish step, as a part of publish/figures.sql.
SELECT CAST('rows' AS VARCHAR(16)) AS kind, CAST('songplays' AS VARCHAR(128)) AS name, COUNT(*) AS figure, CAST(NULL AS BIGINT) AS expected
FROM ${schema}.songplays
WHERE
    load_id = '${load_id}'
    AND batch = '${batch}'
    AND start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
UNION ALL
SELECT CAST('rows' AS VARCHAR(16)) AS kind, CAST('users' AS VARCHAR(128)) AS name, COUNT(*) AS figure, CAST(NULL AS BIGINT) AS expected
FROM ${schema}.users
WHERE load_id = '${load_id}' AND batch = '${batch}'
UNION ALL
SELECT CAST('rows' AS VARCHAR(16)) AS kind, CAST('time' AS VARCHAR(128)) AS name, COUNT(*) AS figure, CAST(NULL AS BIGINT) AS expected
FROM ${schema}.time
WHERE
    load_id = '${load_id}'
    AND batch = '${batch}'
    AND start_time BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
