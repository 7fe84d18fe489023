-- No rating of the undone load is left. Runs in the undo of a load that has ratings, over the range of their time.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${schema}.ratings
WHERE
    load_id = '${undone_load}'
    AND rated_at BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
