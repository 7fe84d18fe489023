"""Generates the files of a dataset from its contract: SQL, JSONPaths and dataset.json."""
