-- Fails the transaction if a check on the published state failed. Runs last in the transaction, before its figures. The cast of a text
-- that is no number names the first failed check and its figure; both branches of a CASE are evaluated, so the CASE is inside the CAST. A
-- check that left no row fails too: check_count is how many rows there must be.
SELECT
    CAST(
        CASE
            WHEN r.results = ${check_count} AND r.failed = 0 THEN '0'
            WHEN r.failed > 0 THEN r.first_failed
            ELSE 'check results: figure ' || CAST(r.results AS VARCHAR(32)) || ', expected ${check_count}'
        END AS INTEGER
    ) AS guard
FROM (
    SELECT
        COUNT(*) AS results,
        COALESCE(SUM(CASE WHEN c.figure = c.expected THEN 0 ELSE 1 END), 0) AS failed,
        COALESCE(MIN(
            CASE
                WHEN c.figure = c.expected THEN NULL
                ELSE
                    'check ' || c.name || ': figure ' || COALESCE(CAST(c.figure AS VARCHAR(32)), 'none')
                    || ', expected ' || COALESCE(CAST(c.expected AS VARCHAR(32)), 'none')
            END
        ), '') AS first_failed
    FROM ${schema}.check_results AS c
    WHERE c.load_id = '${load_id}' AND c.batch = '${batch}' AND c.checked = 'published'
) AS r;
