"""The seam between COPY and its formats, and JSON's exact reader.

A format is a ``Reader`` (``formats.reader`` makes that of a COPY's options): it is given the objects
and a ``Target`` and says what each object came to: rows that load (converted values one by one, or
DuckDB's SQL of many), rows that do not, lines and bytes scanned. ``EachObject`` makes a reader of
anything that turns one object's bytes into rows.
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
    """What reading one object came to."""

    rows: int
    lines: int
    bytes: int


class Target(Protocol):
    """Where a format's rows and errors go. Under NOLOAD rows are counted and dropped."""

    def add(self, values: Sequence[Any]) -> None:
        """One row: values in the order of the columns, as ``convert.Convert`` makes them."""

    def insert(self, query: str) -> int:
        """The rows of a DuckDB query, columns c0, c1, ... of the columns' own types; how many."""

    def reject(self, found: S3Object, error: RowError) -> None:
        """A row that does not load. Raises RedshiftError at MAXERROR of them."""

    def scanned(self, found: S3Object, scanned: Scanned, began: float) -> None:
        """An object is read; ``began``: when, in seconds since 1970."""

    def check_cancelled(self) -> None:
        """Raises once the statement is cancelled; to be called now and then."""


class Reader(Protocol):
    """A format under one COPY's options."""

    @property
    def name(self) -> str:
        """As SYS_LOAD_HISTORY.file_format has it: ``json``, ``csv``, ``text``, ``parquet``."""

    def read(self, objects: Iterator[S3Object], target: Target) -> None:
        """Reads every object. Raises RedshiftError for what fails the whole COPY."""


class ObjectRows(Protocol):
    """Reads one object's (unpacked) bytes."""

    def read(self, chunks: Iterator[bytes], url: str, accept: Accept, reject: Reject) -> Scanned:
        """Calls ``accept`` or ``reject`` for every row, in order."""


@dataclass(frozen=True)
class EachObject:
    """A reader that takes the objects one by one, a row at a time."""

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
    """The first lines of an object, that are passed over; how many ``lines`` and ``bytes`` there were."""

    def __init__(self, left: int):
        self._left = left
        self.lines = 0
        self.bytes = 0

    def behind(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """What comes after them."""
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

    ``texts``: where the values of columns of text are, by the columns' numbers. "If IGNOREHEADER is
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
        """Every structure of an object goes to ``accept`` or, as an error, to ``reject``.

        ``reject`` may raise to end the load. Raises RedshiftError for what fails a whole COPY.
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
        except RowError as error:  # the file as a whole: it is skipped
            reject(error)
        return Scanned(rows, header.lines + structures.lines, header.bytes + structures.bytes)

    def load(self, structure: Structure, url: str, accept: Accept, reject: Reject) -> bool:
        """One structure of the object at ``url``; whether it was accepted."""
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
