-- Deletes the load's ratings; nothing else depends on them. Runs in the undo of a load that has ratings.
DELETE FROM ${schema}.ratings
WHERE
    load_id = '${undone_load}'
    AND rated_at BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}';
