-- Drops a staging table after its load has ended (older versions staged in the star schema's schema). Runs in a batch of its own, each
-- statement a transaction: a DROP may meet "conflict with concurrent transaction", which must never fail a publish.
DROP TABLE IF EXISTS ${loader_schema}.${stage_table}, ${schema}.${stage_table};
