-- A reload deletes the artists that its songs decided, to insert them anew. Runs before publish/song_data/.
DELETE FROM ${schema}.artists
WHERE as_of_song_id IN (SELECT s.song_id FROM ${schema}.${song_stage} AS s);
