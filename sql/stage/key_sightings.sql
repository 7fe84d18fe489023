-- Records keys that no column takes: those that are new, and those not seen for a day. Runs after the staging tables are dropped, in the
-- same batch (functions/finish.py). A key is text from a file, so it comes in by COPY.
COPY ${schema}.key_sightings (dataset, path, key, load_id, suggested)
FROM '${sightings}'
IAM_ROLE ${copy_role}
FORMAT AS JSON 'auto'
COMPUPDATE OFF
STATUPDATE OFF;
