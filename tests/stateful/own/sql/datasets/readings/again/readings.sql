-- The batch's readings of an earlier attempt go: they have no key by which its second row would be known. Runs after
-- publish/again.sql.
DELETE FROM ${schema}.readings
WHERE
    load_id = '${load_id}'
    AND batch = '${batch}'
    AND ts BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}';
