-- The figures of a published batch for the report: the rows it wrote by table (the dataset's published.sql) and the checks; and the state
-- of the ledger (plan/ledger.sql), which shows whether the sweep's mark belongs to it. Runs in the publish step, after the guard.
${published}
UNION ALL
SELECT CAST('check' AS VARCHAR(16)) AS kind, c.name, c.figure, c.expected
FROM ${schema}.check_results AS c
WHERE c.load_id = '${load_id}' AND c.batch = '${batch}' AND c.checked = 'published'
UNION ALL
${ledger_now};
