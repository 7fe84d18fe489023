"""Prepared statements, portals, and the sink that turns a session's rows into DataRow messages."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from fakeshift.engine.results import ResultColumn
from fakeshift.errors import RedshiftError
from fakeshift.wire import codec, values
from fakeshift.wire.text import Text

_NUMBERS = frozenset({"int2", "int4", "int8", "numeric"})
_IN_MEMORY = 16 * 1024 * 1024


@dataclass(frozen=True)
class Prepared:
    """A statement of Parse; ``oids`` are the types of its parameters, 0 where the client gave none.

    ``columns`` are those of its result, as Describe shows them; None if it returns none, or if it was
    not analysed yet (``analysed``).
    """

    text: Text
    oids: tuple[int, ...]
    columns: tuple[ResultColumn, ...] | None = None
    analysed: bool = False


@dataclass(frozen=True)
class Client:
    """What a client asked for when it connected: ``protocol`` is client_protocol_version, 0 to 2."""

    database: str
    protocol: int = 0

    def describe(self, columns: Sequence[ResultColumn], formats: Sequence[int]) -> bytes:
        """RowDescription."""
        fields = [
            values.field(column, format_, self.database)
            for column, format_ in zip(columns, _each(formats, len(columns)), strict=True)
        ]
        return codec.row_description(fields, extended=self.protocol >= 1)


def _each(formats: Sequence[int], count: int) -> Sequence[int]:
    """A format for each column: none given means text, one is for all."""
    if len(formats) in (0, 1):
        return [formats[0] if formats else values.TEXT] * count
    if len(formats) != count:
        raise RedshiftError(
            f"bind message has {len(formats)} result formats but query has {count} columns",
            sqlstate="08P01",
        )
    return formats


class RowSender:
    """A sink of ``Session.run`` that passes messages to ``put``; ``announce`` sends RowDescription first."""

    def __init__(
        self,
        put: Callable[[bytes], None],
        client: Client,
        formats: Sequence[int] = (),
        *,
        announce: bool,
        described: Sequence[ResultColumn] | None = None,
        digits: int = 0,
    ):
        self._put = put
        self._client = client
        self._formats = formats
        self._announce = announce
        self._described = described
        self._digits = digits
        self._encode: list[values.Encode] = []
        self.columns: list[ResultColumn] = []
        self.rows = 0
        self.bytes = 0

    def start(self, columns: list[ResultColumn]) -> None:
        """Sends the columns, if they are not known to the client."""
        self.columns = columns
        formats = _each(self._formats, len(columns))
        self._encode = [
            values.encoder(
                column, format_, redshift=self._client.protocol >= 2, digits=self._digits
            )
            for column, format_ in zip(self._agreed(columns), formats, strict=True)
        ]
        if self._announce:
            self._put(self._client.describe(columns, self._formats))

    def _agreed(self, columns: Sequence[ResultColumn]) -> Sequence[ResultColumn]:
        """Numbers are sent as Describe has said; their sizes may depend on the parameters' values."""
        told = self._described
        if told is None or len(told) != len(columns):
            return columns
        pairs = zip(told, columns, strict=True)
        return [
            one if {one.type_name, other.type_name} <= _NUMBERS else other for one, other in pairs
        ]

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Sends rows."""
        for row in rows:
            cells = [
                None if value is None else encode(value)
                for encode, value in zip(self._encode, row, strict=True)
            ]
            message = codec.data_row(cells)
            self.rows += 1
            self.bytes += len(message)
            self._put(message)

    def finish(self) -> None:
        """Nothing: CommandComplete needs the outcome."""


@dataclass
class Portal:
    """A bound statement. ``tag`` is "" until it has run; ``kept`` has the rows that wait for the next
    Execute with a row limit.
    """

    prepared: Prepared
    values: dict[str, str]
    formats: tuple[int, ...] = ()
    tag: str = ""
    kept: Rows | None = field(default=None)

    def close(self) -> None:
        """Frees the rows that were not fetched."""
        if self.kept is not None:
            self.kept.close()


class Rows:
    """DataRow messages in order, in memory up to 16 MB, then in a temporary file."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self._count = 0
        self._read = 0

    def put(self, message: bytes) -> None:
        """Adds a message."""
        self._file.write(message)
        self._count += 1

    def rewind(self) -> None:
        """All were added: starts to read."""
        self._file.seek(0)

    def take(self, limit: int) -> Iterator[bytes]:
        """The next messages, at most ``limit``; all for 0."""
        end = self._count if limit <= 0 else min(self._read + limit, self._count)
        while self._read < end:
            head = self._file.read(5)
            (size,) = struct.unpack_from("!i", head, 1)
            self._read += 1
            yield head + self._file.read(size - 4)

    @property
    def left(self) -> int:
        """How many were not taken."""
        return self._count - self._read

    def close(self) -> None:
        """Deletes them."""
        self._file.close()
