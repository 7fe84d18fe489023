-- COPY reads an object of the work bucket with its role. Runs in the preflight ({"check": true}).
CREATE TEMPORARY TABLE ${plan_table} (seq BIGINT);

COPY ${plan_table}
FROM '${probe}'
IAM_ROLE ${copy_role}
FORMAT AS JSON 'auto'
COMPUPDATE OFF
STATUPDATE OFF;
