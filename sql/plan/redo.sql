-- The files of a load that was undone, to load them again: {"redo": "<load id>"}. Their keys come out as rows and are looked up in the
-- bucket (functions/loader/redo.py). If there are none, the first statement says why. Runs in the plan step.
SELECT
    CAST(f.status AS VARCHAR(128)) AS name,
    COUNT(*) AS figure
FROM ${schema}.files AS f
WHERE f.load_id = '${undone_load}'
GROUP BY f.status
UNION ALL
SELECT
    CAST('published' AS VARCHAR(128)) AS name,
    COUNT(*) AS figure
FROM ${schema}.loads AS l
WHERE l.load_id = '${undone_load}';

SELECT DISTINCT
    w.bucket,
    w.key
FROM ${schema}.files AS w
WHERE w.load_id = '${undone_load}' AND w.status = 'withdrawn'
ORDER BY w.key;
