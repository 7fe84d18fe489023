-- Whether the key of masked columns is there: the keys, the fingerprints in the ledger, and the keys that have one of these. Runs before
-- the key is made, and after it (functions/loader/masking.py); all three must be 1.
SELECT
    k.there,
    m.fingerprints,
    f.fitting
FROM (SELECT COUNT(*) AS there FROM ${loader_schema}.mask_key) AS k
CROSS JOIN (SELECT COUNT(*) AS fingerprints FROM ${schema}.mask_keys) AS m
CROSS JOIN (
    SELECT COUNT(*) AS fitting
    FROM ${loader_schema}.mask_key AS a
    INNER JOIN ${schema}.mask_keys AS b ON b.fingerprint = SHA2('fingerprint' || a.secret, 256)
) AS f;
