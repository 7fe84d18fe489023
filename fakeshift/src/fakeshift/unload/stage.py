"""The rows of UNLOAD's query in a temporary table: numbered, so that files can divide them."""
# ruff: noqa: S608 - names of our own; identifiers are quoted, values are parameters

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import duckdb

from fakeshift.engine.results import ResultColumn, result_columns, text
from fakeshift.errors import RedshiftError, undefined_column, unsupported

SLICES = 2
"""How many files UNLOAD writes in parallel: one for each slice with rows."""

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_TABLE = 'temp.main."unload/rows"'
"""A name that no user's temporary table has."""

_UNSAFE = "".join(chr(code) for code in range(32)) + "\"#%'*/:=?\\\x7f{[]^"
_DUCKDB = {"int8": "BIGINT", "int2": "SMALLINT"}
_KEYS = frozenset(
    {"int2", "int4", "int8", "numeric", "float4", "bool", "bpchar", "varchar", "date", "timestamp"}
)
"""Types that PARTITION BY accepts (r_UNLOAD.html, usage notes)."""


@dataclass(frozen=True)
class Share:
    """The rows of one file: those of one slice in a partition (``folder``, "" or ``a=1/b=x/``)."""

    folder: str
    where: str
    values: tuple[Any, ...]


class Stage:
    """A context manager that holds the rows of a DuckDB query. Its columns are c0, c1, ..."""

    def __init__(self, con: duckdb.DuckDBPyConnection, query: str, partition_by: Sequence[str]):
        self._con = con
        self.all = result_columns(con.execute(f"DESCRIBE {query}").fetchall())
        for column in self.all:
            if column.type_name == "interval":
                raise unsupported("UNLOAD of an INTERVAL")
        self._keys = [self._key(name) for name in partition_by]
        if self._keys and len(self._keys) == len(self.all):
            raise RedshiftError("UNLOAD ... PARTITION BY has to leave at least one column")
        names = ", ".join(f"c{number}" for number in range(len(self.all)))
        cells = ", ".join(
            f"CAST(c{number} AS {_DUCKDB[column.type_name]}) AS c{number}"
            if column.type_name in _DUCKDB
            else f"c{number}"
            for number, column in enumerate(self.all)
        )
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {_TABLE} AS "
            f"SELECT row_number() OVER () - 1 AS n, {cells} FROM ({query}) AS q({names})"
        )
        counted = con.execute(f"SELECT COUNT(*) FROM {_TABLE}").fetchone()
        self.rows = int(counted[0]) if counted else 0

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        """After an error DuckDB may accept only a rollback; the first error must be reported."""
        with suppress(duckdb.Error) if error else nullcontext():
            self._con.execute(f"DROP TABLE IF EXISTS {_TABLE}")

    def _key(self, name: str) -> int:
        number = next((n for n, column in enumerate(self.all) if column.name == name), None)
        if number is None:
            raise undefined_column(name)
        if self.all[number].type_name not in _KEYS:
            raise RedshiftError(
                f"column {name} of type {self.all[number].type_name} cannot be used in PARTITION BY"
            )
        return number

    def written(self, *, include: bool) -> list[int]:
        """The numbers of the columns in the files: without partition columns, unless INCLUDE."""
        return [n for n in range(len(self.all)) if include or n not in self._keys]

    def columns(self, numbers: Sequence[int]) -> list[ResultColumn]:
        """The columns of these numbers."""
        return [self.all[number] for number in numbers]

    def shares(self, *, parallel: bool) -> Iterator[tuple[int, Share]]:
        """(slice, its share) of every partition, only those with rows."""
        for folder, where, values in self._partitions():
            if not parallel:
                yield 0, Share(folder, where, values)
                continue
            for slice_number in range(SLICES):
                of_slice = f"{where} AND n % {SLICES} = {slice_number}"
                found = self._con.execute(
                    f"SELECT 1 FROM {_TABLE} WHERE {of_slice} LIMIT 1", values
                ).fetchone()
                if found:
                    yield slice_number, Share(folder, of_slice, values)

    def _partitions(self) -> list[tuple[str, str, tuple[Any, ...]]]:
        if not self._keys:
            return [("", "TRUE", ())] if self.rows else []
        names = [f"c{number}" for number in self._keys]
        found = self._con.execute(
            f"SELECT {', '.join(names)} FROM {_TABLE} GROUP BY ALL ORDER BY min(n)"
        ).fetchall()
        where = " AND ".join(f"{name} IS NOT DISTINCT FROM ?" for name in names)
        return [(self._folder(values), where, tuple(values)) for values in found]

    def _folder(self, values: Sequence[Any]) -> str:
        """``year=2019/month=September/``, "following the Apache Hive convention"."""
        parts = []
        for number, value in zip(self._keys, values, strict=True):
            shown = NULL_PARTITION if value in (None, "") else _escaped(text(value))
            parts.append(f"{self.all[number].name}={shown}/")
        return "".join(parts)

    def select(self, share: Share, numbers: Sequence[int], *, named: bool = False) -> str:
        """DuckDB's query of a share's rows in order; parameters are ``share.values``."""
        cells = ", ".join(
            f'c{number} AS "{self.all[number].name.replace(chr(34), chr(34) * 2)}"'
            if named
            else f"c{number}"
            for number in numbers
        )
        return f"SELECT {cells} FROM {_TABLE} WHERE {share.where} ORDER BY n"


def _escaped(value: str) -> str:
    """Escapes, as Hive does, characters that a path cannot contain."""
    return "".join(quote(char, safe="") if char in _UNSAFE else char for char in value)
