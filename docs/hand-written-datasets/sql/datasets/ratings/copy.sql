-- Loads a batch of ratings into the batch's own staging table. Runs in the stage step, after CREATE TABLE.
-- CSV is read by position: the columns are listed in the files' usual order. The loader reads each file's header, which COPY skips.
-- COPY loads an empty number as NULL; an empty text only with EMPTYASNULL.
COPY ${loader_schema}.${rating_stage} (user_id, song_id, stars, rated_at, remark)
FROM '${manifest}'
IAM_ROLE ${copy_role}
FORMAT AS CSV
IGNOREHEADER 1
EMPTYASNULL
TIMEFORMAT 'YYYY-MM-DD HH24:MI:SS'
MANIFEST
COMPUPDATE OFF
${copy_options};
