-- Loads a batch of events into the load's own staging table. Runs in the stage step, after CREATE TABLE.
-- The columns are listed in the order of jsonpaths.json. payload_size is a text: it was a number first, and then "3 commits" too.
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
