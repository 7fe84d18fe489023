-- Takes the lock as every publish does, and reads its row. Runs in the preflight ({"check": true}).
LOCK ${loader_schema}.publish_lock;

UPDATE ${loader_schema}.publish_lock
SET holder = '${load_id}';

SELECT COUNT(*) AS held
FROM ${loader_schema}.publish_lock;
