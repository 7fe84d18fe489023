-- Loads a batch of readings into the batch's own staging table. Runs in the stage step, after CREATE TABLE.
-- CSV is read by position: the columns are listed in the files' usual order. The loader reads each file's header, which COPY skips.
-- 'auto' accepts times in ISO 8601 (docs.aws.amazon.com/redshift/latest/dg/automatic-recognition.html).
COPY ${loader_schema}.${reading_stage} (ts, device_id, temperature_c, humidity_pct, battery_v)
FROM '${manifest}'
IAM_ROLE ${copy_role}
FORMAT AS CSV
IGNOREHEADER 1
EMPTYASNULL
TIMEFORMAT 'auto'
MANIFEST
COMPUPDATE OFF
${copy_options};
