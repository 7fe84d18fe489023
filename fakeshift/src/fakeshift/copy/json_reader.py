"""COPY of JSON: block by block, by DuckDB where the result is certainly the same, else by the exact reader.

DuckDB reads a ``plain`` block; ``pipeline.Rows`` then reads each uncertain row (vectors.py)
again. It alone reads a block that is not plain, and the following ones until a structure ends
with a block. Rows, errors and their order are the same either way.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from fakeshift.copy.blocks import Ahead, Block, Blocks, Judge, Piece
from fakeshift.copy.decompress import decompressed
from fakeshift.copy.objects import Structures
from fakeshift.copy.pipeline import EachObject, Rows, Scanned, Target
from fakeshift.copy.vectors import Plan
from fakeshift.s3 import S3Object

SMALL_BYTES = 32 << 10
"""The exact reader is as fast for blocks below this size."""


@dataclass
class _Object:
    """The counts of the object that is being read."""

    rows: int = 0
    size: int = 0
    newlines: int = 0
    last: bytes = b""

    def add(self, piece: Piece) -> None:
        """Counts a piece."""
        self.size += piece.length
        self.newlines += piece.newlines
        self.last = piece.ends_with or self.last

    @property
    def scanned(self) -> Scanned:
        """A last line without a line break counts too."""
        lines = self.newlines + (self.last not in (b"", b"\n"))
        return Scanned(self.rows, lines, self.size)


@dataclass(frozen=True)
class JsonReader:
    """A ``pipeline.Reader``. ``folder`` is a new folder in which DuckDB gets blocks.

    ``con`` is the session's connection, ``cursor`` opens another one.
    """

    con: duckdb.DuckDBPyConnection
    cursor: Callable[[], duckdb.DuckDBPyConnection]
    rows: Rows
    plan: Plan | None
    compression: str
    folder: Path
    small: int = SMALL_BYTES
    name: str = "json"

    def read(self, objects: Iterator[S3Object], target: Target) -> None:
        """See ``pipeline.Reader``."""
        if self.plan is None:
            EachObject(self.name, self.rows, self.compression).read(objects, target)
            return
        run = _Run(self, self.plan, target)
        self.folder.mkdir()
        try:
            with contextlib.closing(self.cursor()) as con:
                blocks = Blocks(self.folder, Judge(con), self.small)
                with Ahead(blocks.of(objects, self._unpacked)) as coming:
                    run.read(coming)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _unpacked(self, found: S3Object) -> Iterator[bytes]:
        return decompressed(found.chunks(), self.compression, found.url)


class _Run:
    """Reads the blocks of one COPY."""

    def __init__(self, reader: JsonReader, plan: Plan, target: Target):
        self._reader = reader
        self._plan = plan
        self._target = target
        self._object = _Object()
        self._coming: Iterator[Block] = iter(())

    def read(self, coming: Iterator[Block]) -> None:
        """Reads each block one way or the other."""
        self._coming = coming
        for block in coming:
            self._target.check_cancelled()
            if block.plain:
                self._by_duckdb(block)
            else:
                for piece in block.pieces:
                    self._exactly(piece)

    def _by_duckdb(self, block: Block) -> None:
        path = block.path
        loaded, records = self._target.insert(self._plan.certain(path)), block.records
        left: list[int] = []
        lines: list[bytes] = []
        if loaded < records:
            found = self._reader.con.execute(self._plan.uncertain(path)).fetchall()
            left, lines = [row[0] for row in found], block.lines
        if loaded + len(left) != records:
            raise RuntimeError(f"{loaded} rows loaded, {len(left)} left, of {records}")
        first = 0
        for piece in block.pieces:
            self._begin(piece)
            self._object.rows, loaded = self._object.rows + loaded, 0
            after = first + piece.records
            for number in left[bisect_left(left, first) : bisect_left(left, after)]:
                line = self._object.newlines + number - first + 1
                self._structures(piece, Structures([lines[number]], piece.found.url, line))
            first = after
            self._end(piece)

    def _exactly(self, piece: Piece) -> None:
        """Reads from this piece to the end of one in which no structure is open."""
        self._begin(piece)
        current = piece

        def chunks() -> Iterator[bytes]:
            nonlocal current
            yield current.data
            while not current.last:
                self._end(current)
                (current,) = next(self._coming).pieces
                yield current.data

        structures = Structures(chunks(), piece.found.url, self._object.newlines + 1)
        self._structures(piece, structures, until=lambda: structures.between and not current.last)
        self._end(current)

    def _structures(
        self, piece: Piece, structures: Structures, until: Callable[[], bool] = lambda: False
    ) -> None:
        reject = functools.partial(self._target.reject, piece.found)
        rows = self._reader.rows
        for structure in structures:
            self._object.rows += rows.load(structure, piece.found.url, self._target.add, reject)
            if until():
                return

    def _begin(self, piece: Piece) -> None:
        if piece.first:
            self._object = _Object()

    def _end(self, piece: Piece) -> None:
        self._object.add(piece)
        if piece.last:
            self._target.scanned(piece.found, self._object.scanned, piece.began)
