"""Inserts converted rows into DuckDB, in batches, from a file of JSON lines with explicit types.

DuckDB never infers types, and memory holds at most one batch, however large the load.
"""
# ruff: noqa: S608 - names come quoted from the catalogue

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import Relation
from fakeshift.dialect.defaults import default_expression
from fakeshift.dialect.grammar import to_duckdb
from fakeshift.sql.nodes import Column

BATCH_BYTES = 64 << 20


class Batches:
    """``add`` rows of ``columns``' values; ``finish`` when there are no more."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, table: Relation, columns: Sequence[Column], path: Path
    ):
        self._con = con
        self._path = path
        self._file = path.open("w", encoding="utf-8")
        self._bytes = 0
        self._keys = [f"c{number}" for number in range(len(columns))]
        self._into = _into(table, columns)
        self._rows = _rows_of(columns, path)
        self._encode = json.JSONEncoder(
            ensure_ascii=False, separators=(",", ":"), check_circular=False
        ).encode

    def add(self, values: Sequence[Any]) -> None:
        """Adds one row."""
        line = self._encode(dict(zip(self._keys, values, strict=True)))
        self._file.write(line)
        self._file.write("\n")
        self._bytes += len(line)
        if self._bytes >= BATCH_BYTES:
            self._flush()

    def insert(self, query: str) -> int:
        """Inserts the rows of a DuckDB query with the columns' values as c0, c1, ...; returns how many."""
        row = self._con.execute(f"{self._into} FROM ({query})").fetchone()
        return int(row[0]) if row else 0

    def count(self, query: str) -> int:
        """How many rows ``insert`` would insert; the values are computed and dropped."""
        built = ", ".join(f"COUNT({key})" for key in self._keys)
        row = self._con.execute(f"SELECT COUNT(*), {built} FROM ({query})").fetchone()
        return int(row[0]) if row else 0

    def finish(self) -> None:
        """Inserts the remaining rows."""
        self._flush()

    def _flush(self) -> None:
        self._file.flush()
        if self._bytes:
            self.insert(self._rows)
        self._file.seek(0)
        self._file.truncate()
        self._bytes = 0

    def close(self) -> None:
        """Removes the file; must always be called."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def _into(table: Relation, columns: Sequence[Column]) -> str:
    """``INSERT INTO t (a, b) SELECT c0, <default of b>``, to be followed by FROM."""
    given = {column.name: f"c{number}" for number, column in enumerate(columns)}
    cells = [
        given.get(column.name) or to_duckdb(default_expression(column, table))
        for column in table.columns
    ]
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    return f"INSERT INTO {catalog.physical(*table.key)} ({names}) SELECT {', '.join(cells)}"


def _rows_of(columns: Sequence[Column], path: Path) -> str:
    types = ", ".join(
        f"'c{number}': '{column.type.duckdb}'" for number, column in enumerate(columns)
    )
    source = str(path).replace("'", "''")
    return (
        f"FROM read_json('{source}', format = 'newline_delimited', columns = {{{types}}}, "
        "maximum_object_size = 134217728)"
    )
