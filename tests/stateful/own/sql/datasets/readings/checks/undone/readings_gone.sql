-- No reading of the undone load is left. Runs in the undo of a load that has readings, over the range of their time.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${schema}.readings
WHERE
    load_id = '${undone_load}'
    AND ts BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
