-- Opens the transactions that make a dataset's missing tables: two loads that miss the same one come after each other. Runs first in
-- each of them (functions/migrate.py).
LOCK ${loader_schema}.publish_lock;
