-- What the ledger says of a load that is to be undone, in one result. Runs before the transaction.
-- files: the load's files that are loaded, by dataset. dataset: files that it loaded at any time, by dataset. batches: how many it has
-- published. later: loads that left out rows of it, in a dataset that is not undone yet, and still have files (reloads may have replaced
-- all of them). early: its batches that are older than the tables that undo needs. undone: its datasets that are undone already; '' is all
-- of them.
SELECT
    CAST('files' AS VARCHAR(16)) AS kind,
    CAST(f.dataset AS VARCHAR(128)) AS name,
    COUNT(*) AS figure
FROM ${schema}.files AS f
WHERE f.load_id = '${undone_load}' AND f.status = 'loaded'
GROUP BY f.dataset
UNION ALL
SELECT CAST('dataset' AS VARCHAR(16)) AS kind, CAST(l.dataset AS VARCHAR(128)) AS name, CAST(SUM(l.files_loaded) AS BIGINT) AS figure
FROM ${schema}.loads AS l
WHERE l.load_id = '${undone_load}'
GROUP BY l.dataset
UNION ALL
SELECT CAST('batches' AS VARCHAR(16)) AS kind, CAST('loads' AS VARCHAR(128)) AS name, COUNT(*) AS figure
FROM ${schema}.loads AS b
WHERE b.load_id = '${undone_load}'
UNION ALL
SELECT CAST('later' AS VARCHAR(16)) AS kind, CAST(o.load_id AS VARCHAR(128)) AS name, CAST(SUM(o.left_rows) AS BIGINT) AS figure
FROM ${schema}.left_out AS o
INNER JOIN (
    SELECT DISTINCT
        n.load_id,
        n.dataset
    FROM ${schema}.files AS n
    WHERE n.status = 'loaded'
) AS h
    ON o.load_id = h.load_id AND o.dataset = h.dataset
LEFT JOIN ${schema}.undone AS d
    ON o.of_load_id = d.load_id AND o.dataset = d.dataset
WHERE o.of_load_id = '${undone_load}' AND o.load_id <> '${undone_load}' AND d.load_id IS NULL
GROUP BY o.load_id
UNION ALL
SELECT CAST('early' AS VARCHAR(16)) AS kind, CAST('loads' AS VARCHAR(128)) AS name, COUNT(*) AS figure
FROM ${schema}.loads AS e
CROSS JOIN (
    SELECT MIN(v.applied_at) AS applied_at
    FROM ${schema}.schema_version AS v
    WHERE v.version >= 2
) AS t
WHERE e.load_id = '${undone_load}' AND e.published_at < t.applied_at
UNION ALL
SELECT CAST('undone' AS VARCHAR(16)) AS kind, CAST(u.dataset AS VARCHAR(128)) AS name, COUNT(*) AS figure
FROM ${schema}.undone AS u
WHERE u.load_id = '${undone_load}'
GROUP BY u.dataset;
