-- Artists for whom a song with a smaller song_id has come are decided anew. Runs in the publish step.
DELETE FROM ${schema}.artists
WHERE EXISTS (
    SELECT 1
    FROM ${schema}.songs AS s
    WHERE
        s.artist_id = artists.artist_id
        AND s.song_id < artists.as_of_song_id
        AND s.song_id IN (SELECT i.song_id FROM ${schema}.${song_stage} AS i)
);
