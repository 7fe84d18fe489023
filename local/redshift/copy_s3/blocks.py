"""Objects as blocks of whole lines: what JSON's fast reader takes at a time.

A block is a piece of one object, or several small objects, and so bounds the memory of a COPY of any
size. It is ``plain`` if every record certainly stands on a line of its own: then DuckDB's reader
finds the same records as ours. A thread makes the blocks (S3, unpacking, looking at the bytes) while
the session's inserts them.
"""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType

from local.redshift.copy_s3.objects import MAX_OBJECT_BYTES
from local.redshift.copy_s3.s3 import S3Object

BLOCK_BYTES = 32 << 20
_AHEAD = 2

_NOT_BETWEEN_OBJECTS = re.compile(rb"\n(?:(?<!\}\n)(?<!\}\r\n)|(?!\{))")
"""A line's end other than between ``}`` and ``{``, where alone no structure can go on: after ``}``
JSON has a comma or a bracket, and a line break in a string is malformed on its own line."""
_ODD_ENDS = (re.compile(rb"\}(?<=[,\s]\})"), re.compile(rb"\](?<=[,\s]\])"))
_COMMA_BEFORE_END = re.compile(rb",[ \t\r\n]*[}\]]")
_WORD = rb"(?=[ \t\r\-nNiI])[ \t\r]*-?(?:[nN][aA][nN]|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)[ \t\r]*[,}\]]"
_NO_NUMBER = re.compile(rb":" + _WORD)
_NO_NUMBER_IN_ARRAY = (re.compile(rb"\[" + _WORD), re.compile(rb"," + _WORD))
_ARRAY = re.compile(rb"\[(?<=[:,\[ \t\r]\[)")


def is_plain(data: bytes) -> bool:
    """Whether each line is one record's, and none has what DuckDB reads and JSON does not have.

    That is a comma before a closing bracket, NaN and Infinity (DuckDB 2.0 reads with yyjson's
    ALLOW_TRAILING_COMMAS and ALLOW_INF_AND_NAN). False where that is not certain. ``data`` has no
    line break at its end.
    """
    if not data.startswith(b"{") or not data.endswith(b"}"):
        return False
    if not _lines_of_at_most(MAX_OBJECT_BYTES, data):
        return False
    if _NOT_BETWEEN_OBJECTS.search(data):
        return False
    odd_end = any(end.search(data) for end in _ODD_ENDS)
    if odd_end and _COMMA_BEFORE_END.search(data):
        return False
    if _NO_NUMBER.search(data):
        return False
    arrays = _ARRAY.search(data) is not None
    return not (arrays and any(found.search(data) for found in _NO_NUMBER_IN_ARRAY))


def _lines_of_at_most(size: int, data: bytes) -> bool:
    at = 0
    while len(data) - at > size:
        at = data.rfind(b"\n", at, at + size + 1) + 1
        if at == 0:
            return False
    return True


@dataclass
class Piece:
    """A part of an object, unpacked; ``data`` ends with a line break if it is not the ``last``."""

    found: S3Object
    data: bytes
    first: bool
    last: bool
    began: float

    @property
    def body(self) -> bytes:
        """Without the line breaks at the end."""
        return self.data.rstrip(b"\r\n")

    @property
    def records(self) -> int:
        """How many lines the body has."""
        return self.body.count(b"\n") + 1


@dataclass
class Block:
    """``pieces`` of several objects, each whole, or of one. ``data`` has the records' lines."""

    pieces: list[Piece]
    data: bytes
    plain: bool

    @property
    def records(self) -> int:
        """How many lines ``data`` has."""
        return self.data.count(b"\n") + 1


def _block(pieces: list[Piece]) -> Block:
    data = b"\n".join([body for piece in pieces if (body := piece.body)])
    return Block(pieces, data, is_plain(data))


def blocks(
    objects: Iterator[S3Object], unpacked: Callable[[S3Object], Iterator[bytes]]
) -> Iterator[Block]:
    """The objects' blocks in order; an object's pieces follow each other."""
    small: list[Piece] = []
    size = 0
    for found in objects:
        for piece in _pieces(found, unpacked(found)):
            if piece.first and piece.last and len(piece.data) < BLOCK_BYTES // 2:
                small.append(piece)
                size += len(piece.data)
                if size >= BLOCK_BYTES // 2:
                    yield _block(small)
                    small, size = [], 0
                continue
            if small:
                yield _block(small)
                small, size = [], 0
            yield _block([piece])
    if small:
        yield _block(small)


def _pieces(found: S3Object, chunks: Iterator[bytes]) -> Iterator[Piece]:
    """Cut behind a line break, where there is one."""
    began, first = time.time(), True
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        if size >= BLOCK_BYTES:
            cut = chunk.rfind(b"\n") + 1
            if cut or size >= 2 * BLOCK_BYTES:
                held.append(chunk[:cut])
                yield Piece(found, b"".join(held), first, last=False, began=began)
                held, size, first = [], 0, False
                chunk = chunk[cut:]
        held.append(chunk)
        size += len(chunk)
    yield Piece(found, b"".join(held), first, last=True, began=began)


class Ahead:
    """An iterator's blocks, made in a thread of their own and a few ahead of who takes them.

    What the iterator raises is raised where its block would be. To be used in a with statement.
    """

    def __init__(self, made: Iterator[Block]):
        self._made = made
        self._queue: queue.Queue[Block | BaseException | None] = queue.Queue(_AHEAD)
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
            for block in self._made:
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
