-- Artists whose row was decided by a song that came anew, or for whom a song with a smaller song_id has come, are decided anew.
-- Runs in the publish step.
DELETE FROM ${schema}.artists
WHERE
    as_of_song_id IN (
        SELECT s.song_id FROM ${schema}.songs AS s
        WHERE s.load_id = :load_id AND s.batch = :batch
    )
    OR artist_id IN (
        SELECT a.artist_id
        FROM ${schema}.artists AS a
        INNER JOIN ${schema}.songs AS n ON a.artist_id = n.artist_id
        WHERE n.load_id = :load_id AND n.batch = :batch AND n.song_id < a.as_of_song_id
    );
