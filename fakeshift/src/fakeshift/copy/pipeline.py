"""The seam between COPY and its formats, and JSON's exact reader.

A format is a ``Reader`` (``formats.reader`` selects it by a COPY's options). It gets the objects
and a ``Target`` and reports for each object: rows that load (converted values one by one, or
DuckDB's SQL of many), rows that do not, lines and bytes scanned. ``EachObject`` is a reader for
anything that converts one object's bytes to rows.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from fakeshift.copy.convert import Convert
from fakeshift.copy.decompress import decompressed
from fakeshift.copy.errors import RowError
from fakeshift.copy.lines import recoded
from fakeshift.copy.objects import Structure, Structures
from fakeshift.copy.paths import Pick, Step
from fakeshift.copy.rawtext import text_at
from fakeshift.errors import RedshiftError, reading, source_failed
from fakeshift.s3 import S3Object

Accept = Callable[[Sequence[Any]], None]
Reject = Callable[[RowError], None]
Check = Callable[[], None]

_CHECK_EVERY = 1000


@dataclass(frozen=True)
class Scanned:
    """The counts of one object."""

    rows: int
    lines: int
    bytes: int


class Target(Protocol):
    """Receives a format's rows and errors. With NOLOAD, rows are counted and dropped."""

    def add(self, values: Sequence[Any]) -> None:
        """One row: values in the order of the columns, as ``convert.Convert`` returns them."""

    def insert(self, query: str) -> int:
        """The rows of a DuckDB query, c0, c1, ... with the columns' types; returns how many."""

    def reject(self, found: S3Object, error: RowError) -> None:
        """A row that does not load. Raises RedshiftError at MAXERROR."""

    def scanned(self, found: S3Object, scanned: Scanned, began: float) -> None:
        """An object has been read; ``began`` is in seconds since 1970."""

    def check_cancelled(self) -> None:
        """Raises if the statement was cancelled; call it regularly."""


class Reader(Protocol):
    """A format under one COPY's options."""

    @property
    def name(self) -> str:
        """As SYS_LOAD_HISTORY.file_format has it: ``json``, ``csv``, ``text``, ``parquet``."""

    def read(self, objects: Iterator[S3Object], target: Target) -> None:
        """Reads every object. Raises RedshiftError if the whole COPY fails."""


class ObjectRows(Protocol):
    """Reads one object's (unpacked) bytes."""

    def read(self, chunks: Iterator[bytes], url: str, accept: Accept, reject: Reject) -> Scanned:
        """Calls ``accept`` or ``reject`` for every row, in order."""


@dataclass(frozen=True)
class EachObject:
    """A reader that reads object by object and row by row."""

    name: str
    rows: ObjectRows
    compression: str = ""

    def read(self, objects: Iterator[S3Object], target: Target) -> None:
        """See ``Reader``."""
        for found in objects:
            target.check_cancelled()
            began = time.time()
            chunks = decompressed(_watched(found, target), self.compression, found.url)
            reject = functools.partial(target.reject, found)
            scanned = self.rows.read(chunks, found.url, target.add, reject)
            target.scanned(found, scanned, began)


def _watched(found: S3Object, target: Target) -> Iterator[bytes]:
    for chunk in found.chunks():
        target.check_cancelled()
        yield chunk


class _Header:
    """Skips the first lines of an object; counts their ``lines`` and ``bytes``."""

    def __init__(self, left: int):
        self._left = left
        self.lines = 0
        self.bytes = 0

    def behind(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks after them."""
        for chunk in chunks:
            at = 0
            while self._left and (newline := chunk.find(b"\n", at)) >= 0:
                at = newline + 1
                self._left -= 1
                self.lines += 1
            if self._left:
                at = len(chunk)
            self.bytes += at
            if at < len(chunk):
                yield chunk[at:] if at else chunk


@dataclass(frozen=True)
class Rows:
    """Reads objects for one COPY: ``pick`` finds the columns' values, ``converts`` their types.

    ``texts``: the paths of text columns' values, by the columns' numbers. "If IGNOREHEADER is
    specified, COPY ignores the specified number of lines in the JSON data" (dg/copy-parameters-data-format).
    """

    pick: Pick
    converts: Sequence[Convert]
    check_cancelled: Check
    texts: Mapping[int, Sequence[Step]] = field(default_factory=dict)
    ignore_case: bool = False
    ignoreheader: int = 0
    encoding: str = "utf8"

    def read(self, chunks: Iterator[bytes], url: str, accept: Accept, reject: Reject) -> Scanned:
        """Passes every structure of an object to ``accept`` or, as an error, to ``reject``.

        ``reject`` may raise to end the load. Raises RedshiftError if the whole COPY fails.
        """
        if self.encoding != "utf8":
            chunks = recoded(chunks, url, self.encoding)
        header = _Header(self.ignoreheader)
        structures, rows = Structures(header.behind(chunks), url, self.ignoreheader + 1), 0
        try:
            for number, structure in enumerate(structures):
                if number % _CHECK_EVERY == 0:
                    self.check_cancelled()
                rows += self.load(structure, url, accept, reject)
        except RowError as error:  # the whole file is skipped
            reject(error)
        return Scanned(rows, header.lines + structures.lines, header.bytes + structures.bytes)

    def load(self, structure: Structure, url: str, accept: Accept, reject: Reject) -> bool:
        """Converts one structure of the object at ``url``; returns whether it was accepted."""
        if structure.error is not None:
            reject(structure.error)
            return False
        try:
            picked = list(self.pick(structure.value))
            for number, steps in self.texts.items():
                if isinstance(picked[number], (dict, list)):
                    text = text_at(structure.text, steps, ignore_case=self.ignore_case)
                    picked[number] = text
            values = [convert(value) for convert, value in zip(self.converts, picked, strict=True)]
        except RowError as error:
            reject(replace(error, line=structure.line))
            return False
        except RedshiftError as error:
            raise source_failed(error.message, reading(url)) from error
        accept(values)
        return True
