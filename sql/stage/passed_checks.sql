-- The checks on staging that have passed for some batch before: one that has, with the same SQL, is trusted to judge a file.
-- Runs when a check fails.
SELECT DISTINCT
    name,
    definition
FROM ${schema}.check_results
WHERE checked = 'staged' AND figure = expected
