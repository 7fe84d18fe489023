-- Takes the figures of the checks on the published state, inside the transaction. Runs after the dataset's own statements.
-- checks is a UNION ALL of checks/published/*.sql, one row each.
INSERT INTO ${schema}.check_results (load_id, batch, checked, name, figure, expected, definition)
SELECT
    CAST(:load_id AS VARCHAR(64)),
    CAST(:batch AS VARCHAR(64)),
    'published',
    c.name,
    c.figure,
    c.expected,
    c.definition
FROM (
    ${checks}
) AS c;
