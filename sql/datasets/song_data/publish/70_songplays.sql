-- The plays that have a changed song lose it; 75_songplays.sql gives them the song that they match now. Runs in the publish step; only a
-- load with songs pays for it.
UPDATE ${schema}.songplays
SET song_id = NULL, artist_id = NULL
WHERE song_id IN (SELECT o.song_id FROM old_songs AS o INNER JOIN changed_songs AS c ON o.song_id = c.song_id);
