-- Opens the transaction that undoes a load's files of one dataset. Runs first in it; LOCK and UPDATE as in publish/begin.sql.
LOCK ${loader_schema}.publish_lock;

UPDATE ${loader_schema}.publish_lock
SET holder = '${load_id}';

-- No other load may have left out rows because of this load's, in any dataset that is not undone yet: the other load's files would lose
-- them. And the load must have published no batch since undo/look.sql read the range of its plays. Both branches of a CASE are evaluated,
-- so the CASE is inside the CAST.
SELECT
    CAST(
        CASE
            WHEN k.held <> 1 THEN 'lock: publish_lock has ' || CAST(k.held AS VARCHAR(32)) || ' rows of this load, expected 1'
            WHEN n.holders > 0 THEN 'undo: ' || n.holder || ' left out rows of it'
            WHEN b.batches <> ${batch_count} THEN 'undo: it has published ' || CAST(b.batches AS VARCHAR(32)) || ' batches'
            ELSE '0'
        END AS INTEGER
    ) AS refused
FROM (
    SELECT
        COUNT(*) AS holders,
        COALESCE(MAX(o.load_id), '') AS holder
    FROM ${schema}.left_out AS o
    INNER JOIN (
        SELECT DISTINCT
            f.load_id,
            f.dataset
        FROM ${schema}.files AS f
        WHERE f.status = 'loaded'
    ) AS l
        ON o.load_id = l.load_id AND o.dataset = l.dataset
    LEFT JOIN ${schema}.undone AS d
        ON o.of_load_id = d.load_id AND o.dataset = d.dataset
    WHERE o.of_load_id = '${undone_load}' AND o.load_id <> '${undone_load}' AND d.load_id IS NULL
) AS n
CROSS JOIN (
    SELECT COUNT(*) AS held
    FROM ${loader_schema}.publish_lock
    WHERE holder = '${load_id}'
) AS k
CROSS JOIN (
    SELECT COUNT(*) AS batches
    FROM ${schema}.loads
    WHERE load_id = '${undone_load}'
) AS b;

DELETE FROM ${schema}.check_results
WHERE load_id = '${load_id}' AND batch = '${batch}';
