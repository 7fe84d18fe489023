-- Every staged rating is in ratings as a row of this batch, and no other row is. Runs in the publish transaction of ratings.
SELECT
    COUNT(*) AS figure,
    ${rows_staged} AS expected
FROM ${schema}.ratings
WHERE
    load_id = '${load_id}'
    AND batch = '${batch}'
    AND rated_at BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}'
