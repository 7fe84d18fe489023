-- Opens the transaction that undoes a load, in which it runs first; LOCK is its first statement, as in publish/begin.sql.
-- Then nothing may have been left out because of the load's rows: the files that have them too would lose them.
-- Both branches of a CASE are evaluated, so the CASE stands inside the CAST.
LOCK ${schema}.publish_lock;

SELECT
    CAST(
        CASE WHEN COUNT(*) = 0 THEN '0' ELSE 'undo: ' || MAX(o.load_id) || ' left out rows of it' END AS INTEGER
    ) AS refused
FROM ${schema}.left_out AS o
WHERE
    o.of_load_id = :undone_load
    AND o.load_id <> :undone_load
    AND EXISTS (
        SELECT 1 FROM ${schema}.files AS n
        WHERE n.load_id = o.load_id AND n.dataset = o.dataset AND n.status = 'loaded'
    );

DELETE FROM ${schema}.check_results
WHERE load_id = :load_id AND batch = :batch;
