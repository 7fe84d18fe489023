-- Every song has its id and its artist's id. Runs after COPY of song files.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${song_stage}
WHERE song_id IS NULL OR artist_id IS NULL
