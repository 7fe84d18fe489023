-- Fails the transaction if a check on the published state failed: one statement for each check, last in the transaction.
-- The cast of a text that is no number names the check and its figure; both branches of a CASE are evaluated, so the CASE
-- stands inside the CAST. A check that left no row fails too.
SELECT
    CAST(
        CASE
            WHEN r.results = 1 AND r.passed = 1 THEN '0'
            ELSE
                'check ${check}: figure ' || COALESCE(CAST(r.figure AS VARCHAR(32)), 'none')
                || ', expected ' || COALESCE(CAST(r.expected AS VARCHAR(32)), 'none')
        END AS INTEGER
    ) AS guard
FROM (
    SELECT
        COUNT(*) AS results,
        SUM(CASE WHEN c.figure = c.expected THEN 1 ELSE 0 END) AS passed,
        MAX(c.figure) AS figure,
        MAX(c.expected) AS expected
    FROM ${schema}.check_results AS c
    WHERE
        c.load_id = :load_id
        AND c.batch = :batch
        AND c.checked = 'published'
        AND c.name = '${check}'
) AS r;
