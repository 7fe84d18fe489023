-- A reload replaces the songs of its files: their plays wait for a song again. Runs before publish/song_data/.
UPDATE ${schema}.songplays
SET song_id = NULL, artist_id = NULL
WHERE song_id IN (SELECT s.song_id FROM ${schema}.${song_stage} AS s);
