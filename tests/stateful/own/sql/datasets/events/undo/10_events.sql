-- Deletes the load's events; nothing else depends on them. Runs in the undo of a load that has events.
DELETE FROM ${schema}.events
WHERE
    load_id = '${undone_load}'
    AND created_at BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}';
