-- No rating of the undone load is left. Runs in the undo of a load.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${schema}.ratings
WHERE load_id = :undone_load
