-- Loads a batch of orders into the batch's own staging table. Runs in the stage step, after CREATE TABLE.
-- The columns are listed in the order of jsonpaths.json; 'auto' accepts times in ISO 8601
-- (docs.aws.amazon.com/redshift/latest/dg/automatic-recognition.html).
COPY ${loader_schema}.${order_stage} (order_id, updated_at, created_at, status, customer_id, currency, total, coupon_code)
FROM '${manifest}'
IAM_ROLE ${copy_role}
FORMAT AS JSON '${jsonpaths}'
TIMEFORMAT 'auto'
MANIFEST
COMPUPDATE OFF
${copy_options};
