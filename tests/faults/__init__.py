"""A whole system in one process, in which each call, statement and state goes wrong."""
