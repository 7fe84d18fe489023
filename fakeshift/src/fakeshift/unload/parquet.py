"""Rows as Parquet: version 1.0, SNAPPY, row groups of ROWGROUPSIZE.

https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html#unload-parquet-usage
"""
# ruff: noqa: S608 - names are quoted, paths are our own

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from pathlib import Path

import duckdb

from fakeshift.engine.results import ResultColumn
from fakeshift.errors import RedshiftError
from fakeshift.sql.unload_options import UnloadOptions
from fakeshift.unload.files import Written, new_path
from fakeshift.unload.stage import Share, Stage


def parquet_files(
    con: duckdb.DuckDBPyConnection,
    stage: Stage,
    share: Share,
    numbers: Sequence[int],
    options: UnloadOptions,
    scratch: Path,
) -> Generator[Written, None, None]:
    """A share's files: one, or several of about MAXFILESIZE.

    "If a column uses TIMESTAMPTZ data format, only the timestamp values are unloaded."
    """
    columns = stage.columns(numbers)
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        raise RedshiftError("Duplicate column names are not supported with PARQUET")
    query = f"SELECT {_cells(columns)} FROM ({stage.select(share, numbers, named=True)})"
    whole = _write(con, query, share.values, options, scratch)
    pieces = math.ceil(whole.bytes / options.max_file_bytes)
    if pieces == 1:
        yield whole
        return
    whole.path.unlink()
    rows = math.ceil(whole.rows / pieces)
    for first in range(0, whole.rows, rows):
        part = f"{query} LIMIT {rows} OFFSET {first}"
        yield _write(con, part, share.values, options, scratch)


def _cells(columns: Sequence[ResultColumn]) -> str:
    quoted = ['"' + column.name.replace('"', '""') + '"' for column in columns]
    return ", ".join(
        f"CAST({name} AS TIMESTAMP) AS {name}" if column.type_name == "timestamptz" else name
        for name, column in zip(quoted, columns, strict=True)
    )


def _write(
    con: duckdb.DuckDBPyConnection,
    query: str,
    values: Sequence[object],
    options: UnloadOptions,
    scratch: Path,
) -> Written:
    path = new_path(scratch)
    try:
        row = con.execute(
            f"COPY ({query}) TO '{path}' (FORMAT parquet, PARQUET_VERSION v1, COMPRESSION snappy, "
            f"ROW_GROUP_SIZE_BYTES {options.row_group_bytes})",
            list(values),
        ).fetchone()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Written(path, int(row[0]) if row else 0)
