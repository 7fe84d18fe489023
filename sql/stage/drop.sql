-- Drops a staging table after its load has ended. Runs in a batch of its own, each statement a transaction: a DROP may meet
-- "conflict with concurrent transaction", and must never take a publish with it.
DROP TABLE IF EXISTS ${schema}.${stage_table};
