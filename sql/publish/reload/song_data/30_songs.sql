-- A reload deletes the songs of its files, to insert them anew. Runs before publish/song_data/.
DELETE FROM ${schema}.songs
WHERE song_id IN (SELECT s.song_id FROM ${schema}.${song_stage} AS s);
