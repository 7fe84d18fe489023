-- Records that the tables of a dataset have its contract, unless that is recorded already. Runs last in the transaction that makes the
-- dataset's missing tables and staging parents, behind the lock (functions/migrate.py).
INSERT INTO ${schema}.contracts (dataset, number, digest, key_columns, newest, columns, masks, load_id)
SELECT
    CAST('${dataset}' AS VARCHAR(64)),
    l.number + 1,
    CAST('${contract}' AS VARCHAR(16)),
    CAST('${key_columns}' AS VARCHAR(65535)),
    CAST('${newest}' AS VARCHAR(127)),
    CAST('${columns}' AS VARCHAR(65535)),
    CAST('${masks}' AS VARCHAR(65535)),
    CAST('${load_id}' AS VARCHAR(64))
FROM (
    SELECT COALESCE(MAX(m.number), 0) AS number
    FROM ${schema}.contracts AS m
    WHERE m.dataset = '${dataset}'
) AS l
LEFT JOIN ${schema}.contracts AS c
    ON l.number = c.number AND c.dataset = '${dataset}' AND c.digest = '${contract}'
WHERE c.digest IS NULL;
