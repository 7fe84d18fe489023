-- Loads a batch of events into the batch's own staging table. Runs in the stage step, after CREATE TABLE.
-- The columns are listed in the order of jsonpaths.json. payload_size is a text: it was a number at first, and later also "3 commits".
COPY ${loader_schema}.${code_event_stage} (
    id, type, actor_id, actor_login, repo_id, repo_name, org_login, public, created_at, payload_action, payload_size, payload
)
FROM '${manifest}'
IAM_ROLE ${copy_role}
FORMAT AS JSON '${jsonpaths}'
TIMEFORMAT 'auto'
MANIFEST
COMPUPDATE OFF
${copy_options};
