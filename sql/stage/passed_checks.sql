-- The checks on staging that some batch has passed before: only such a check, with the same SQL, is trusted to blame a file. Runs when a
-- check fails.
SELECT DISTINCT
    name,
    definition
FROM ${schema}.check_results
WHERE checked = 'staged' AND figure = expected
