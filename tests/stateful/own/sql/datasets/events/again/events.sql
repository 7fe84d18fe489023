-- The batch's events of an earlier attempt go: they have no key by which its second row would be known. Runs after
-- publish/again.sql.
DELETE FROM ${schema}.events
WHERE
    load_id = '${load_id}'
    AND batch = '${batch}'
    AND created_at BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}';
