-- The rows that the staged songs have now, before this batch changes them: afterwards, their plays and artists may belong to other songs.
-- A temporary table. Runs first of the dataset, before reload/ in a reload.
CREATE TEMPORARY TABLE old_songs
DISTKEY (song_id)
AS
SELECT s.song_id, s.title, s.artist_id, s.artist_name, s.duration
FROM ${schema}.songs AS s
WHERE s.song_id IN (SELECT n.song_id FROM ${loader_schema}.${song_stage} AS n);
