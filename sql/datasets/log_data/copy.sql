-- Loads a batch of log files into the load's own staging table. Runs in the stage step, after CREATE TABLE.
-- JSONPaths, because the keys are camelCase: 'auto' would leave those columns NULL without an error.
-- copy_options are the step's: compression; NOLOAD and MAXERROR when bad files are looked for.
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
