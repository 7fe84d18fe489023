-- Opens the undo of a load: LOCK first, as in publish/begin.sql. Then nothing may have been left out because of its rows: the files
-- that have them too would lose them. Both branches of a CASE are evaluated, so the CASE stands inside the CAST.
LOCK ${schema}.publish_lock;

SELECT
    CAST(
        CASE WHEN COUNT(*) = 0 THEN '0' ELSE 'undo: ' || MAX(o.load_id) || ' left out rows of it' END AS INTEGER
    ) AS refused
FROM ${schema}.left_out AS o
WHERE o.of_load_id = :undone_load AND o.load_id <> :undone_load;

DELETE FROM ${schema}.check_results
WHERE load_id = :load_id AND batch = :batch;
