-- Every rating has its song, its stars and its time; an empty or blank song counts as none. Runs after COPY of ratings.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${rating_stage}
WHERE COALESCE(TRIM(song_id), '') = '' OR stars IS NULL OR rated_at IS NULL
