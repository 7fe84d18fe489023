-- Withdraws the load's files of the dataset: they are not planned again unless they are named by key. The rows that the load left out
-- because of other loads no longer count, so that those loads may be undone too. Runs in the undo of a load, after the dataset's
-- statements.
UPDATE ${schema}.files
SET status = 'withdrawn', reason = 'undone by ${load_id}'
WHERE load_id = '${undone_load}' AND dataset = '${dataset}' AND status = 'loaded';

DELETE FROM ${schema}.left_out
WHERE load_id = '${undone_load}' AND dataset = '${dataset}';

DELETE FROM ${schema}.rejected_rows
WHERE load_id = '${undone_load}' AND dataset = '${dataset}';

DELETE FROM ${schema}.undone
WHERE load_id = '${undone_load}' AND dataset = '${dataset}';

INSERT INTO ${schema}.undone (load_id, undone_by, execution, dataset)
VALUES ('${undone_load}', '${load_id}', '${execution}', '${dataset}');
