"""The simulated world: state machine, functions, S3, SQS and a local Redshift in one process. It holds no tests."""
