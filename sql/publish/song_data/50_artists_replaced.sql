-- Artists whose row was decided by a song that came anew, or for whom a song with a smaller song_id has come, are decided anew.
-- Runs in the publish step.
DELETE FROM ${schema}.artists
WHERE artist_id IN (
    SELECT a.artist_id
    FROM ${schema}.artists AS a
    INNER JOIN ${schema}.songs AS s ON a.as_of_song_id = s.song_id
    WHERE s.load_id = :load_id AND s.batch = :batch
    UNION ALL
    SELECT b.artist_id
    FROM ${schema}.artists AS b
    INNER JOIN ${schema}.songs AS n ON b.artist_id = n.artist_id
    WHERE n.load_id = :load_id AND n.batch = :batch AND n.song_id < b.as_of_song_id
);
