-- Loads a batch of song files into the batch's own staging table. Runs in the stage step, after CREATE TABLE.
-- The keys are the column names, so 'auto' finds them. The list names the columns, so that other keys are reported.
COPY ${loader_schema}.${song_stage} (
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title, duration, year
)
FROM '${manifest}'
IAM_ROLE ${copy_role}
FORMAT AS JSON 'auto'
MANIFEST
COMPUPDATE OFF
${copy_options};
