"""Files on disk, compressed while writing; a new one is started when one gets too large."""
# ruff: noqa: S608 - paths are our own

from __future__ import annotations

import bz2
import gzip
import uuid
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import duckdb

from fakeshift.sql.unload_options import UnloadOptions
from fakeshift.unload.text import Line

_PIECE = 1 << 20


@dataclass(frozen=True)
class Written:
    """A finished file; ``rows`` include the header line."""

    path: Path
    rows: int

    @property
    def bytes(self) -> int:
        """Its size."""
        return self.path.stat().st_size


def new_path(scratch: Path) -> Path:
    """A unique path."""
    return scratch / f"unload-{uuid.uuid4().hex}"


def text_files(
    rows: Iterable[Sequence[Any]],
    line: Line,
    header: str,
    options: UnloadOptions,
    scratch: Path,
    con: duckdb.DuckDBPyConnection,
) -> Generator[Written, None, None]:
    """The rows' files, one after another, each of at most MAXFILESIZE plus one line."""
    file = _Text(header, options.compression, scratch, con)
    try:
        for row in rows:
            file.write(line(row))
            if file.bytes >= options.max_file_bytes:
                yield file.finish()
                file = _Text(header, options.compression, scratch, con)
        if file.has_rows:
            yield file.finish()
    finally:
        file.discard()


class _Text:
    def __init__(
        self, header: str, compression: str, scratch: Path, con: duckdb.DuckDBPyConnection
    ):
        self._con = con
        self._compression = compression
        self._path: Path | None = new_path(scratch)
        self._raw = self._path.open("wb")
        self._out = _compressed(self._raw, compression)
        self._rows = 0
        self.has_rows = False
        if header:
            self.write(header)
            self.has_rows = False

    def write(self, line: str) -> None:
        self._out.write(line.encode())
        self._rows += 1
        self.has_rows = True

    @property
    def bytes(self) -> int:
        """The bytes in the file so far."""
        return self._raw.tell()

    def finish(self) -> Written:
        """Closes the file; it then belongs to the caller."""
        self._close()
        path, self._path = cast(Path, self._path), None
        if self._compression == "zstd":
            _zstd(self._con, path)
        return Written(path, self._rows)

    def _close(self) -> None:
        if self._out is not self._raw:
            self._out.close()
        self._raw.close()

    def discard(self) -> None:
        """Deletes an unfinished file."""
        if self._path is not None:
            self._close()
            self._path.unlink(missing_ok=True)


def _compressed(raw: IO[bytes], compression: str) -> IO[bytes]:
    if compression == "gzip":
        return cast("IO[bytes]", gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0))
    if compression == "bzip2":
        return cast("IO[bytes]", bz2.BZ2File(raw, "wb"))
    return raw


def _zstd(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Compresses a file in place with DuckDB: Python has zstd only since 3.14."""
    table = 'temp.main."unload/pieces"'
    packed = path.with_suffix(".zst")
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} (n BIGINT, piece BLOB)")
    try:
        with path.open("rb") as file:
            for number, piece in enumerate(iter(lambda: file.read(_PIECE), b"")):
                con.execute(f"INSERT INTO {table} VALUES (?, ?)", [number, piece])
        con.execute(
            f"COPY (SELECT piece FROM {table} ORDER BY n) TO '{packed}' "
            "(FORMAT blob, COMPRESSION zstd)"
        )
        packed.replace(path)
    finally:
        con.execute(f"DROP TABLE {table}")
        packed.unlink(missing_ok=True)
