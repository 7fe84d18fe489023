-- The load's ratings go; nothing else depends on them. Runs in the undo of a load.
DELETE FROM ${schema}.ratings
WHERE load_id = :undone_load;
