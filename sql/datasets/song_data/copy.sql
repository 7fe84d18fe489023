-- Loads a batch of song files into the load's own staging table. Runs in the stage step, after CREATE TABLE.
-- The keys are the column names, so 'auto' finds them.
COPY ${loader_schema}.${song_stage}
FROM '${manifest}'
IAM_ROLE ${copy_role}
FORMAT AS JSON 'auto'
MANIFEST
COMPUPDATE OFF
${copy_options};
