-- Every staged reading is in readings as a row of this batch, and no other row is. Runs in the publish transaction of readings.
SELECT
    COUNT(*) AS figure,
    ${rows_staged} AS expected
FROM ${schema}.readings
WHERE
    load_id = '${load_id}'
    AND batch = '${batch}'
    AND ts BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
