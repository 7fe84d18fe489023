-- Every song has its id and its artist's id; an empty or blank one counts as none, because two such songs would become one. Runs after
-- COPY of song files.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${song_stage}
WHERE COALESCE(TRIM(song_id), '') = '' OR COALESCE(TRIM(artist_id), '') = ''
