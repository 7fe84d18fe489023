"""Objects as blocks of whole lines: the unit of JSON's fast reader.

A block is a piece of one object, or several small objects, and so bounds the memory of a COPY of any
size. It is ``plain`` if every record is certainly on its own line: then DuckDB's reader
finds the same records as ours. One thread builds the blocks (S3, unpacking, checking the bytes) while
the session's thread inserts them.
"""

from __future__ import annotations

import os
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType

import duckdb

from fakeshift.copy.objects import MAX_OBJECT_BYTES
from fakeshift.s3 import S3Object

BLOCK_BYTES = 64 << 20
FIRST_BYTES = 8 << 20
"""An object's first piece; each is twice as large as the previous one, up to ``BLOCK_BYTES``, so that DuckDB
starts early."""
AHEAD = 2
WRITTEN_BYTES = 1 << 20

_NO_NUMBER = r"-?(?i:nan|inf|infinity)[ \t\r]*[,}\]]"
_ODD = (
    r"\n[^{]",
    rf":[ \t\r]*(?:\n|{_NO_NUMBER})",
    rf",[ \t\r]*(?:\n|[}}\]]|{_NO_NUMBER})",
    rf"\[[ \t\r]*(?:\n|{_NO_NUMBER})",
    r"\\u0000",
)
"""A plain block has none of these, inside strings or outside.

A line begins with a brace and none ends with a colon, comma or opening bracket: so no structure continues
on the next line. And there is nothing that DuckDB reads and JSON does not have: a comma before
a closing bracket, NaN and Infinity (DuckDB 2.0 has yyjson allow both); nor NUL, which no column accepts.
Each pattern starts with a character that is fast to search for.
"""
_ODD_BYTES = tuple(re.compile(pattern.encode()) for pattern in _ODD)


class Judge:
    """Checks whether blocks are plain, with DuckDB's regular expressions, which are the fastest."""

    def __init__(self, con: duckdb.DuckDBPyConnection):
        self._con = con
        odd = " OR ".join(f"regexp_matches(content, '{pattern}')" for pattern in _ODD)
        self._query = f"SELECT {odd} FROM read_text(?)"  # noqa: S608 - our own patterns

    def is_plain(self, pieces: list[Piece], path: Path) -> bool:
        """Checks pieces whose bodies, each on separate lines, are in the file."""
        bodies = [piece for piece in pieces if piece.body]
        if any(piece.begins_with != b"{" or piece.body_ends_with != b"}" for piece in bodies):
            return False
        if not all(_lines_of_at_most(MAX_OBJECT_BYTES, piece.chunks) for piece in bodies):
            return False
        try:
            row = self._con.execute(self._query, [str(path)]).fetchone()
        except duckdb.InvalidInputException:  # not UTF-8
            data = path.read_bytes()
            return not any(odd.search(data) for odd in _ODD_BYTES)
        return row is not None and not row[0]


def _lines_of_at_most(size: int, chunks: Sequence[bytes]) -> bool:
    """Checks one line break per ``size`` bytes, not all of them."""
    started = 0  # bytes of the line that continues from the previous chunks
    for chunk in chunks:
        at = -started  # where the line starts
        while len(chunk) - at > size:
            found = chunk.rfind(b"\n", max(at, 0), at + size + 1)
            if found < 0:
                return False
            at = found + 1
        if at <= 0:
            at = chunk.rfind(b"\n") + 1 or at
        started = len(chunk) - at
    return True


@dataclass
class Piece:
    """A part of an object, unpacked; ends with a line break unless it is the ``last``.

    ``chunks`` are as received, none empty: joining them costs more than reading them.
    """

    found: S3Object
    chunks: Sequence[bytes]
    first: bool
    last: bool
    began: float

    @property
    def data(self) -> bytes:
        """All of it."""
        return b"".join(self.chunks)

    @cached_property
    def length(self) -> int:
        """Bytes in all."""
        return sum(map(len, self.chunks))

    @cached_property
    def newlines(self) -> int:
        """Line breaks in all."""
        return sum(chunk.count(b"\n") for chunk in self.chunks)

    @property
    def begins_with(self) -> bytes:
        """The first byte."""
        return self.chunks[0][:1] if self.chunks else b""

    @property
    def ends_with(self) -> bytes:
        """The last byte."""
        return self.chunks[-1][-1:] if self.chunks else b""

    @cached_property
    def body(self) -> list[bytes]:
        """The chunks without the line breaks at the end."""
        body = list(self.chunks)
        while body and body[-1][-1] in b"\r\n":
            body[-1] = body[-1].rstrip(b"\r\n")
            if not body[-1]:
                body.pop()
        return body

    @property
    def size(self) -> int:
        """The bytes of the body."""
        return sum(map(len, self.body))

    @property
    def body_ends_with(self) -> bytes:
        """The body's last byte."""
        return self.body[-1][-1:] if self.body else b""

    @property
    def records(self) -> int:
        """How many lines the body has."""
        if not self.body:
            return 0
        inside, rest = len(self.body) - 1, self.chunks[len(self.body) :]
        cut = self.chunks[inside][len(self.body[inside]) :]
        return self.newlines - sum(chunk.count(b"\n") for chunk in (cut, *rest)) + 1


@dataclass
class Block:
    """``pieces`` of several objects, each whole, or of one.

    A ``plain`` one is also in the file ``path``, until ``AHEAD`` + 2 blocks later.
    """

    pieces: list[Piece]
    path: Path
    plain: bool = False

    @cached_property
    def lines(self) -> list[bytes]:
        """The records."""
        bodies = [b"".join(piece.body) for piece in self.pieces if piece.body]
        return b"\n".join(bodies).split(b"\n")

    @property
    def size(self) -> int:
        """Bytes of the records, roughly."""
        return sum(piece.size for piece in self.pieces)

    def write(self) -> None:
        """Overwrites the file with the records' lines, which reuses its memory pages."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=WRITTEN_BYTES) as file:
            for number, piece in enumerate(piece for piece in self.pieces if piece.body):
                if number:
                    file.write(b"\n")
                file.writelines(piece.body)
            file.truncate()

    @property
    def records(self) -> int:
        """How many ``lines`` there are."""
        return sum(piece.records for piece in self.pieces)


@dataclass(frozen=True)
class Blocks:
    """Builds blocks. One smaller than ``small`` bytes is never plain: DuckDB would not be faster."""

    folder: Path
    judge: Judge
    small: int

    def of(
        self, objects: Iterator[S3Object], unpacked: Callable[[S3Object], Iterator[bytes]]
    ) -> Iterator[Block]:
        """The objects' blocks in order; an object's pieces follow each other."""
        for number, pieces in enumerate(_grouped(objects, unpacked)):
            block = Block(pieces, self.folder / f"block-{number % (AHEAD + 3)}.jsonl")
            for piece in pieces:
                _ = piece.newlines  # counted here, in the thread that builds blocks
            if block.size and block.size >= self.small:
                block.write()
                block.plain = self.judge.is_plain(pieces, block.path)
            yield block


def _grouped(
    objects: Iterator[S3Object], unpacked: Callable[[S3Object], Iterator[bytes]]
) -> Iterator[list[Piece]]:
    small: list[Piece] = []
    size = 0
    for found in objects:
        for piece in _pieces(found, unpacked(found)):
            if piece.first and piece.last and piece.length < BLOCK_BYTES // 2:
                small.append(piece)
                size += piece.length
                if size >= BLOCK_BYTES // 2:
                    yield small
                    small, size = [], 0
                continue
            if small:
                yield small
                small, size = [], 0
            yield [piece]
    if small:
        yield small


def _pieces(found: S3Object, chunks: Iterator[bytes]) -> Iterator[Piece]:
    """Cut after a line break, if there is one."""
    began, first = time.time(), True
    held: list[bytes] = []
    size, enough = 0, min(FIRST_BYTES, BLOCK_BYTES)
    for chunk in chunks:
        if size >= enough:
            cut = chunk.rfind(b"\n") + 1
            if cut or size >= 2 * BLOCK_BYTES:
                held.append(chunk[:cut])
                yield Piece(found, [part for part in held if part], first, last=False, began=began)
                held, size, first = [], 0, False
                enough = min(2 * enough, BLOCK_BYTES)
                chunk = chunk[cut:]
        held.append(chunk)
        size += len(chunk)
    yield Piece(found, [part for part in held if part], first, last=True, began=began)


class Ahead:
    """An iterator's blocks, built a few ahead in a separate thread.

    The iterator's exception is raised in place of its block. Use it in a with statement.
    """

    def __init__(self, built: Iterator[Block]):
        self._built = built
        self._queue: queue.Queue[Block | BaseException | None] = queue.Queue(AHEAD)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="copy blocks", daemon=True)

    def __enter__(self) -> Iterator[Block]:
        self._thread.start()
        return self._taken()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _taken(self) -> Iterator[Block]:
        while (block := self._queue.get()) is not None:
            if isinstance(block, BaseException):
                raise block
            yield block

    def _run(self) -> None:
        try:
            for block in self._built:
                if not self._put(block):
                    return
            self._put(None)
        except BaseException as error:  # raised in the session's thread
            self._put(error)

    def _put(self, item: Block | BaseException | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False
