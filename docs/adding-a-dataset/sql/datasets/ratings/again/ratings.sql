-- The batch's ratings of an earlier attempt go: a rating has no key by which its second row would be known. Runs after
-- publish/again.sql.
DELETE FROM ${schema}.ratings
WHERE
    load_id = '${load_id}'
    AND batch = '${batch}'
    AND rated_at BETWEEN TIMESTAMP '${first_start}' AND TIMESTAMP '${last_start}';
