-- What a load has spent on AWS, apart from the warehouse. Runs after its staging tables are dropped, in the same batch
-- (functions/finish.py).
INSERT INTO ${schema}.load_figures (
    load_id, seconds, transitions, function_calls, gb_seconds, data_api_calls, s3_requests
)
VALUES (
    '${load_id}', ${seconds}, ${transitions}, ${function_calls}, ${gb_seconds}, ${data_api_calls}, ${s3_requests}
);
