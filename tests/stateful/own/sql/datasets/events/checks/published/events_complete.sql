-- Every staged event is in events as a row of this batch, and no other row is. Runs in the publish transaction of events.
SELECT
    COUNT(*) AS figure,
    ${rows_staged} AS expected
FROM ${schema}.events
WHERE
    load_id = '${load_id}'
    AND batch = '${batch}'
    AND created_at BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
