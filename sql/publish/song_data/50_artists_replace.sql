-- Artists for whom a song with a smaller song_id has come are decided anew. Runs in the publish step.
DELETE FROM ${schema}.artists
WHERE artist_id IN (
    SELECT a.artist_id
    FROM ${schema}.artists AS a
    INNER JOIN ${schema}.songs AS s ON a.artist_id = s.artist_id
    INNER JOIN ${schema}.${song_stage} AS i ON s.song_id = i.song_id
    WHERE s.song_id < a.as_of_song_id
);
