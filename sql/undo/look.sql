-- What undo of a load would take, and what stands against it, in one result. Runs before the transaction, and alone on a dry run.
-- files: the load's, by status. dataset: files that it loaded, by dataset. later: loads that left out rows of it
-- and still have files (reloads may have replaced them all). early: batches of it that are older than the tables that undo needs.
-- undone: by which load it was undone already. rows: what it decided, by table (undone_rows is a UNION ALL of the datasets' undone.sql).
SELECT
    CAST('files' AS VARCHAR(16)) AS kind,
    CAST(f.status AS VARCHAR(128)) AS name,
    COUNT(*) AS figure
FROM ${schema}.files AS f
WHERE f.load_id = :undone_load
GROUP BY f.status
UNION ALL
SELECT CAST('dataset' AS VARCHAR(16)) AS kind, CAST(l.dataset AS VARCHAR(128)) AS name, SUM(l.files_loaded) AS figure
FROM ${schema}.loads AS l
WHERE l.load_id = :undone_load
GROUP BY l.dataset
UNION ALL
SELECT CAST('later' AS VARCHAR(16)) AS kind, CAST(o.load_id AS VARCHAR(128)) AS name, SUM(o.left_rows) AS figure
FROM ${schema}.left_out AS o
WHERE
    o.of_load_id = :undone_load
    AND o.load_id <> :undone_load
    AND EXISTS (
        SELECT 1 FROM ${schema}.files AS n
        WHERE n.load_id = o.load_id AND n.dataset = o.dataset AND n.status = 'loaded'
    )
GROUP BY o.load_id
UNION ALL
SELECT CAST('early' AS VARCHAR(16)) AS kind, CAST('loads' AS VARCHAR(128)) AS name, COUNT(*) AS figure
FROM ${schema}.loads AS e
WHERE
    e.load_id = :undone_load
    AND e.published_at < (
        SELECT MIN(v.applied_at) FROM ${schema}.schema_version AS v
        WHERE v.version = 2
    )
UNION ALL
SELECT CAST('undone' AS VARCHAR(16)) AS kind, CAST(u.undone_by AS VARCHAR(128)) AS name, COUNT(*) AS figure
FROM ${schema}.undone AS u
WHERE u.load_id = :undone_load
GROUP BY u.undone_by
UNION ALL
SELECT CAST('rows' AS VARCHAR(16)) AS kind, CAST(r.name AS VARCHAR(128)) AS name, r.figure
FROM (
    ${undone_rows}
) AS r;
