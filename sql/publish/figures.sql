-- What the report says of a published batch: the rows it wrote by table (the dataset's published.sql), and the checks; and what the ledger
-- says of itself (plan/ledger.sql), by which the sweep's mark is known to be of another one. Runs in the publish step, after the guard.
${published}
UNION ALL
SELECT CAST('check' AS VARCHAR(16)) AS kind, c.name, c.figure, c.expected
FROM ${schema}.check_results AS c
WHERE c.load_id = '${load_id}' AND c.batch = '${batch}' AND c.checked = 'published'
UNION ALL
${ledger_now};
