-- Fails the transaction that masks what is there if the tables have another contract by now: another load has masked it, and a hash of
-- a hash would be no hash of the value. Runs after the lock (functions/migrate.py). Both branches of a CASE are evaluated, so the CASE is
-- inside the CAST.
SELECT
    CAST(CASE WHEN s.same = 1 THEN '0' ELSE 'contract: another load has changed the tables' END AS INTEGER) AS contract_guard
FROM (
    SELECT COUNT(*) AS same
    FROM ${schema}.contracts AS c
    INNER JOIN (
        SELECT MAX(m.number) AS number
        FROM ${schema}.contracts AS m
        WHERE m.dataset = '${dataset}'
    ) AS l ON c.number = l.number
    WHERE c.dataset = '${dataset}' AND c.digest = '${contract_before}'
) AS s;
