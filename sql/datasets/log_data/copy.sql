-- Loads a batch of log files into the batch's own staging table. Runs in the stage step, after CREATE TABLE.
-- JSONPaths, because the keys are camelCase: 'auto' would leave those columns NULL without an error.
-- copy_options are set by the step: compression; NOLOAD and MAXERROR to find bad files.
COPY ${loader_schema}.${event_stage} (
    artist, auth, first_name, gender, item_in_session, last_name, length, level, location,
    method, page, registration, session_id, song, status, ts, user_agent, user_id
)
FROM '${manifest}'
IAM_ROLE ${copy_role}
FORMAT AS JSON '${jsonpaths}'
TIMEFORMAT 'epochmillisecs'
MANIFEST
COMPUPDATE OFF
${copy_options};
