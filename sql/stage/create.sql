-- Creates the batch's own staging table, with the types of the star schema. Runs in the stage step, in the transaction of its COPY, so
-- that a COPY that fails leaves nothing behind.
CREATE TABLE ${loader_schema}.${stage_table} (LIKE ${loader_schema}.${stage_parent} INCLUDING DEFAULTS);
