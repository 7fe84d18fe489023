-- No event of the undone load is left. Runs in the undo of a load that has events, over the range of their time.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${schema}.events
WHERE
    load_id = '${undone_load}'
    AND created_at BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
