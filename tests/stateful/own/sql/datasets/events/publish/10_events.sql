-- Inserts all of the batch's events: they have no key, so none is compared with existing rows. The claim ensures that a file's events are
-- loaded only once. Runs in the publish step.
INSERT INTO ${schema}.events (
    id, type, actor_id, actor_login, repo_id, repo_name, org_login, public, created_at, payload_action, payload_size, payload, load_id, batch
)
SELECT
    r.id,
    r.type,
    r.actor_id,
    r.actor_login,
    r.repo_id,
    r.repo_name,
    r.org_login,
    r.public,
    r.created_at,
    r.payload_action,
    r.payload_size,
    r.payload,
    CAST('${load_id}' AS VARCHAR(64)),
    CAST('${batch}' AS VARCHAR(64))
FROM ${loader_schema}.${code_event_stage} AS r;
