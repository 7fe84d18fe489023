-- The items of each order are a list, or there are none: publish unnests them. Runs after COPY of orders.
SELECT
    COUNT(*) AS figure,
    0 AS expected
FROM ${loader_schema}.${order_stage}
WHERE items IS NOT NULL AND CASE WHEN CAN_JSON_PARSE(items) THEN NOT IS_ARRAY(JSON_PARSE(items)) ELSE TRUE END
