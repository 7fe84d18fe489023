-- Every rating says its song, its stars and its time. Runs after COPY of ratings.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${rating_stage}
WHERE song_id IS NULL OR stars IS NULL OR rated_at IS NULL
