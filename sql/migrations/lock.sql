-- Opens the transactions that create a dataset's missing tables, so that two loads that miss the same table do it one after the other.
-- Runs first in each of them (functions/migrate.py).
LOCK ${loader_schema}.publish_lock;
