-- Stars are 1 to 5. Runs after COPY of ratings.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${rating_stage}
WHERE stars NOT BETWEEN 1 AND 5
