-- Computes the checks on the published state, inside the transaction, and records them beside those that passed on staging. Runs after the
-- dataset's own statements. checks is a UNION ALL of the check files, one row each, and of literal rows for the checks on staging.
INSERT INTO ${schema}.check_results (load_id, batch, checked, name, figure, expected, definition)
SELECT
    CAST('${load_id}' AS VARCHAR(64)),
    CAST('${batch}' AS VARCHAR(64)),
    c.checked,
    c.name,
    c.figure,
    c.expected,
    c.definition
FROM (
    ${checks}
) AS c;
