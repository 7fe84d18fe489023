"""Generates the files of a dataset from its contract: SQL, JSONPaths and dataset.json."""

from contracts.generate.files import digest, files

__all__ = ["digest", "files"]
