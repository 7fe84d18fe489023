-- Every staged rating is in ratings as this batch's, and no other. Runs in the publish transaction of ratings.
SELECT
    COUNT(*) AS figure,
    CAST(:rows_staged AS BIGINT) AS expected
FROM ${schema}.ratings
WHERE
    load_id = :load_id
    AND batch = :batch
    AND rated_at BETWEEN CAST(:first_start AS TIMESTAMP) AND CAST(:last_start AS TIMESTAMP)
