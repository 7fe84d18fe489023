"""COPY from Parquet: columns by position; if a type does not fit, the whole load fails.

https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
Redshift Spectrum refuses it with code 15007. The types that fit are those of its external tables
 (https://docs.aws.amazon.com/redshift/latest/dg/c-spectrum-external-tables.html).
"""
# ruff: noqa: S608 - names are quoted, paths are our own

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from fakeshift.copy.convert import MAX_SUPER_STRING
from fakeshift.copy.decompress import decompressed
from fakeshift.copy.errors import RowError
from fakeshift.copy.pipeline import Scanned, Target
from fakeshift.errors import RedshiftError, compute_error, source_failed, unsupported
from fakeshift.s3 import ObjectStore, S3Object
from fakeshift.sql.copy_options import CopyOptions
from fakeshift.sql.nodes import Column

SPECTRUM_SCAN = 15007
MANIFEST = 15003

_EXTENSIONS = {".gz": "gzip", ".bz2": "bzip2"}
_SPECTRUM_NAMES = {
    "int2": "SMALLINT", "int4": "INT", "int8": "BIGINT", "float4": "REAL",
    "float8": "DOUBLE PRECISION", "bool": "BOOLEAN", "date": "DATE", "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ", "time": "TIME",
}  # fmt: skip
_FITS = {
    "int2": {"TINYINT", "SMALLINT", "INTEGER"},
    "int4": {"TINYINT", "SMALLINT", "INTEGER"},
    "int8": {"BIGINT"},
    "float4": {"FLOAT"},
    "float8": {"DOUBLE"},
    "bool": {"BOOLEAN"},
    "date": {"DATE"},
    "time": {"TIME"},
    "timestamp": {"TIMESTAMP", "TIMESTAMP WITH TIME ZONE"},
    "timestamptz": {"TIMESTAMP", "TIMESTAMP WITH TIME ZONE"},
    "varchar": {"VARCHAR", "JSON"},
    "bpchar": {"VARCHAR", "JSON"},
}
"""For each Redshift type, DuckDB's names of the file types that it accepts."""


@dataclass(frozen=True)
class _InFile:
    """A column of a file: ``written`` as Parquet's schema has it, ``type`` as DuckDB reads it."""

    name: str
    type: str
    written: str


@dataclass(frozen=True)
class ParquetReader:
    """See ``pipeline.Reader``. Reads an object from a copy on disk, because Parquet is read from its end."""

    con: duckdb.DuckDBPyConnection
    scratch: Path
    columns: Sequence[Column]
    options: CopyOptions
    name: str = "parquet"

    def __post_init__(self) -> None:
        supers = any(column.type.name == "super" for column in self.columns)
        if supers and not self.options.serializetojson:
            raise RedshiftError("SUPER column in COPY query requires SERIALIZETOJSON option")

    def read(self, objects: Iterator[S3Object], target: Target) -> None:
        """See ``pipeline.Reader``."""
        for found in objects:
            target.check_cancelled()
            began = time.time()
            path = self.scratch / f"copy-{uuid.uuid4().hex}.parquet"
            try:
                self._fetch(found, path, target)
                rows = _Object(self.con, found, path, self.options, target).load(self.columns)
                target.scanned(found, Scanned(rows, rows, path.stat().st_size), began)
            finally:
                path.unlink(missing_ok=True)

    def _fetch(self, found: S3Object, path: Path, target: Target) -> None:
        """ "If the file ... includes one of the following extensions, we decompress the data"."""
        how = next((name for end, name in _EXTENSIONS.items() if found.url.endswith(end)), "")
        with path.open("wb") as file:
            for chunk in decompressed(found.chunks(), how, found.url):
                target.check_cancelled()
                file.write(chunk)


@dataclass(frozen=True)
class _Object:
    con: duckdb.DuckDBPyConnection
    found: S3Object
    path: Path
    options: CopyOptions
    target: Target

    @property
    def _source(self) -> str:
        return f"read_parquet('{self.path}', binary_as_string = true)"

    @property
    def _address(self) -> str:
        """As Spectrum says it, here without the region: https://s3.us-east-1.amazonaws.com/bucket/key.

        https://github.com/aws/amazon-redshift-python-driver/issues/107
        """
        return f"https://s3.amazonaws.com/{self.found.url.removeprefix('s3://')}"

    def load(self, columns: Sequence[Column]) -> int:
        """Loads all rows of the object or raises; returns how many."""
        try:
            there = self._columns()
            pairs = self._pairs(columns, there)
            self._check_values(pairs)
            return self.target.insert(
                f"SELECT {', '.join(_cells(columns, pairs))} FROM {self._source} AS {_aliases(there)}"
            )
        except duckdb.Error as error:
            raise self._not_read(str(error)) from error

    def _not_read(self, message: str) -> RedshiftError:
        if "UTF" in message and self.options.acceptinvchars:
            return unsupported("ACCEPTINVCHARS where a Parquet file has invalid characters")
        first = message.splitlines()[0].replace(str(self.path), self._address)
        return self._failed(f"File '{self._address}' could not be read: {first}")

    def _columns(self) -> list[_InFile]:
        described = self.con.execute(f"DESCRIBE SELECT * FROM {self._source}").fetchall()
        schema = self.con.execute(
            "SELECT name, type, num_children, repetition_type, converted_type, logical_type "
            f"FROM parquet_schema('{self.path}')"
        ).fetchall()
        tops, at = [], 1
        while at < len(schema):
            tops.append(schema[at])
            at = _after(schema, at)
        return [
            _InFile(str(name), _read_as(str(kind), top), _written(top, number))
            for number, ((name, kind, *_), top) in enumerate(zip(described, tops, strict=True))
        ]

    def _pairs(
        self, columns: Sequence[Column], there: Sequence[_InFile]
    ) -> list[tuple[Column, _InFile]]:
        """ "COPY inserts values into the target table's columns in the same order as the columns
        occur in the columnar data files. The number of columns ... must match"; FILLRECORD fills.
        """
        fits = len(there) == len(columns)
        if not fits and not (self.options.fillrecord and len(there) < len(columns)):
            raise self._failed(
                "Unmatched number of columns between table and file. Table columns: "
                f"{len(columns)}, Data columns: {len(there)}, File name: {self._address}"
            )
        pairs = list(zip(columns, there, strict=False))
        for column, in_file in pairs:
            if not _fits(column, in_file):
                raise self._failed(
                    f"File '{self._address}' has an incompatible Parquet schema for column "
                    f"'{self.found.url}.{column.name}'. Column type: {_spectrum_name(column)}, "
                    f"Parquet schema:\n{in_file.written}",
                    column,
                )
        for column in columns[len(pairs) :]:
            if column.not_null:
                raise self._failed(f"Cannot insert a NULL value into column {column.name}", column)
        return pairs

    def _check_values(self, pairs: Sequence[tuple[Column, _InFile]]) -> None:
        """Checks lengths in bytes, single bytes of CHAR, NOT NULL; raises for the first wrong column."""
        checks = []
        for number, (column, in_file) in enumerate(pairs):
            measure = "NULL, NULL"
            if column.type.is_text:
                measure = f"MAX(STRLEN(p{number})), MAX(STRLEN(p{number}) - LENGTH(p{number}))"
            elif column.type.name == "super" and in_file.type == "VARCHAR":
                measure = f"MAX(STRLEN(p{number})), NULL"
            checks.append(f"COUNT(p{number}), {measure}")
        built = self.con.execute(
            f"SELECT COUNT(*), {', '.join(checks)} FROM {self._source} "
            f"AS {_aliases([in_file for _, in_file in pairs])}"
        ).fetchone()
        total, *rest = built or (0,)
        for number, (column, _) in enumerate(pairs):
            present, longest, wide = rest[number * 3 : number * 3 + 3]
            if column.not_null and present < total:
                raise self._failed(f"Cannot insert a NULL value into column {column.name}", column)
            if column.type.name == "bpchar" and wide:
                raise self._failed(
                    f"Multibyte character not supported for CHAR in column {column.name}", column
                )
            if column.type.name == "super" and (longest or 0) > MAX_SUPER_STRING:
                raise self._failed(
                    f"String value exceeds the max size of {MAX_SUPER_STRING} bytes", column, 1224
                )
            if column.type.is_text and (longest or 0) > column.type.length:
                raise self._failed(
                    f"The length of the data column {column.name} is longer than the length defined "
                    f"in the table. Table: {column.type.length}, Data: {longest}, "
                    f"File name: {self._address}",
                    column,
                )

    def _failed(
        self, context: str, column: Column | None = None, code: int = SPECTRUM_SCAN
    ) -> RedshiftError:
        """The error of the whole load, recorded in SYS_LOAD_ERROR_DETAIL too."""
        row = RowError(code, f"Spectrum Scan Error. {context}")
        if column is not None:
            length = str(column.type.length or 0)
            row = replace(
                row, column=column.name, column_type=column.type.name, column_length=length
            )
        with contextlib.suppress(
            RedshiftError
        ):  # the first error ends a load: ours has more detail
            self.target.reject(self.found, row)
        return source_failed("Spectrum Scan Error", context, code)


def check_manifest(store: ObjectStore, source: str) -> None:
    """A ``meta`` key "is required ... for loading data files in an ORC or Parquet file format".

    Checks a valid manifest. The message is a cluster's (awslabs/aws-lambda-redshift-loader#221).
    https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
    """
    found = store.open(source)
    entries = json.loads(b"".join(found.chunks()))["entries"] if found else []
    for entry in entries:
        meta = entry.get("meta")
        if not isinstance(meta, dict):
            raise _manifest_failed("File entry does not have 'meta' key.")
        if not isinstance(meta.get("content_length"), int):
            raise _manifest_failed("File entry does not have 'content_length' in its 'meta' key.")


def _manifest_failed(message: str) -> RedshiftError:
    return compute_error(message, MANIFEST, "", location="spectrum_manifest.cpp:204")


def _after(schema: Sequence[tuple[object, ...]], at: int) -> int:
    """The place after a schema element and its children."""
    children = schema[at][2] or 0
    at += 1
    for _ in range(int(str(children))):
        at = _after(schema, at)
    return at


def _written(top: Sequence[object], number: int) -> str:
    """``optional int64 c1 [i:0 d:1 r:0]``, as Spectrum shows a column of a file."""
    name, kind, _, repetition, converted, _ = top
    shown = str(kind or "group").lower()
    note = f" ({converted})" if converted else ""
    required = repetition == "REQUIRED"
    return (
        f"{str(repetition).lower()} {shown} {name}{note} [i:{number} d:{0 if required else 1} r:0]"
    )


def _read_as(kind: str, top: Sequence[object]) -> str:
    """Nested columns are NESTED; an INT32 of any width is INTEGER."""
    if top[1] is None:
        return "NESTED"
    return kind


def _fits(column: Column, in_file: _InFile) -> bool:
    kind = column.type
    if kind.name == "super":
        return True
    if kind.name == "numeric":
        if not in_file.type.startswith("DECIMAL("):
            return False
        precision, scale = map(int, in_file.type[len("DECIMAL(") : -1].split(","))
        return scale == kind.scale and precision <= kind.precision
    return in_file.type in _FITS.get(kind.name, ())


def _spectrum_name(column: Column) -> str:
    kind = column.type
    if kind.name == "numeric":
        return f"DECIMAL({kind.precision}, {kind.scale})"
    if kind.is_text:
        return f"{'CHAR' if kind.name == 'bpchar' else 'VARCHAR'}({kind.length})"
    return _SPECTRUM_NAMES.get(kind.name, kind.name.upper())


def _aliases(there: Sequence[_InFile]) -> str:
    return f"f({', '.join(f'p{number}' for number in range(len(there)))})"


def _cells(columns: Sequence[Column], pairs: Sequence[tuple[Column, _InFile]]) -> list[str]:
    """``CAST(p0 AS INTEGER) AS c0`` and so on; columns that FILLRECORD fills are NULL."""
    built = []
    for number, column in enumerate(columns):
        cell = "NULL"
        if number < len(pairs):
            cell = f"p{number}"
            if column.type.name == "bpchar":
                cell = f"RTRIM({cell}, ' ')"
            elif column.type.name == "super":
                in_json = pairs[number][1].type == "JSON"
                cell = f"JSON({cell})" if in_json else f"TO_JSON({cell})"
        built.append(f"CAST({cell} AS {column.type.duckdb}) AS c{number}")
    return built
