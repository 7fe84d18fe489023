-- Makes the key of masked columns, of random bytes in an object of the work bucket, which the function deletes afterwards. Runs in one
-- transaction, behind the lock, when a dataset masks columns and there is no key (functions/loader/masking.py). Of two loads that do so at
-- the same time, the second finds the first one's key. No key is made if the ledger has the fingerprint of one: hashes exist then that
-- only that key can make again.
LOCK ${loader_schema}.publish_lock;

CREATE TEMPORARY TABLE new_mask_key (
    secret VARCHAR(64)
);

COPY new_mask_key (secret)
FROM '${mask_key}'
IAM_ROLE ${copy_role}
FORMAT AS JSON 'auto'
COMPUPDATE OFF
STATUPDATE OFF;

INSERT INTO ${loader_schema}.mask_key (secret)
SELECT n.secret
FROM new_mask_key AS n
CROSS JOIN (SELECT COUNT(*) AS there FROM ${loader_schema}.mask_key) AS k
CROSS JOIN (SELECT COUNT(*) AS fingerprints FROM ${schema}.mask_keys) AS m
WHERE k.there = 0 AND m.fingerprints = 0;

INSERT INTO ${schema}.mask_keys (fingerprint)
SELECT SHA2('fingerprint' || k.secret, 256)
FROM ${loader_schema}.mask_key AS k
CROSS JOIN (SELECT COUNT(*) AS fingerprints FROM ${schema}.mask_keys) AS m
WHERE m.fingerprints = 0;
