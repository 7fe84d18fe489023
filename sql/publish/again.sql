-- Deletes what an earlier attempt of this batch left in the ledger, so that publishing it again changes nothing. Runs after begin.sql, if
-- an earlier attempt may have committed; the dataset's again/ follows.
DELETE FROM ${schema}.files
WHERE load_id = '${load_id}' AND batch = '${batch}';

DELETE FROM ${schema}.check_results
WHERE load_id = '${load_id}' AND batch = '${batch}';

DELETE FROM ${schema}.loads
WHERE load_id = '${load_id}' AND batch = '${batch}';

DELETE FROM ${schema}.left_out
WHERE load_id = '${load_id}' AND batch = '${batch}';

DELETE FROM ${schema}.rejected_rows
WHERE load_id = '${load_id}' AND batch = '${batch}';
