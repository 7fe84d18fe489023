"""Executions that were recorded on AWS, replayed: ``python -m tests.recorded``."""
