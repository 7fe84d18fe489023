-- Drops a staging table after its load has ended (older versions staged in the first schema). Runs in a batch of its own, each statement
-- a transaction: a DROP may meet "conflict with concurrent transaction", and must never take a publish with it.
DROP TABLE IF EXISTS ${loader_schema}.${stage_table}, ${schema}.${stage_table};
