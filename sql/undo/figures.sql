-- The checks of an undo, for the report. Runs last in its transaction.
SELECT c.name, c.figure, c.expected
FROM ${schema}.check_results AS c
WHERE c.load_id = '${load_id}' AND c.batch = '${batch}' AND c.checked = 'published';
