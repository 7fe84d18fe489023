-- Deletes the load's readings; nothing else depends on them. Runs in the undo of a load that has readings.
DELETE FROM ${schema}.readings
WHERE
    load_id = '${undone_load}'
    AND ts BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}';
