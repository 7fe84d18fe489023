-- Deletes the ratings of an earlier attempt of the batch: a rating has no key by which a second row would be recognized. Runs after
-- sql/publish/again.sql.
DELETE FROM ${schema}.ratings
WHERE
    load_id = '${load_id}'
    AND batch = '${batch}'
    AND rated_at BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}';
