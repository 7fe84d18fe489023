-- Deletes the readings of an earlier attempt of the batch: they have no key by which a second row would be recognized. Runs after
-- sql/publish/again.sql.
DELETE FROM ${schema}.readings
WHERE
    load_id = '${load_id}'
    AND batch = '${batch}'
    AND ts BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}';
