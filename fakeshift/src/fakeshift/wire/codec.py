"""The messages of the PostgreSQL protocol 3.0 as bytes; no sockets and no state of a conversation.

https://www.postgresql.org/docs/8.0/protocol-message-formats.html, and for the columns of
RowDescription that only Redshift has,
https://github.com/aws/amazon-redshift-python-driver/blob/master/redshift_connector/core.py
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

PROTOCOL = 196608
SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
CANCEL_REQUEST = 80877102

MAX_STARTUP_BYTES = 10_000
"""PostgreSQL's MAX_STARTUP_PACKET_LENGTH."""
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""Four times the longest statement that Redshift takes (16 MB: dg/c_redshift-sql.html)."""

_KINDS = frozenset(b"QPBEDSHCXpdcfF")
_int16, _int32 = struct.Struct("!h"), struct.Struct("!i")
_head = struct.Struct("!ci")


class ProtocolError(Exception):
    """The bytes are no message of the protocol. The connection has to end: the next start is unknown."""


@dataclass(frozen=True)
class Startup:
    """The first packet: its ``code`` (the protocol's version or one of the requests) and its body."""

    code: int
    body: bytes

    def parameters(self) -> dict[str, str]:
        """``user``, ``database`` and the others of StartupMessage. Raises ProtocolError."""
        parts = self.body.split(b"\0")
        if parts[-2:] != [b"", b""] and parts != [b"", b""]:
            raise ProtocolError("invalid startup packet layout: expected terminator as last byte")
        words = [_text(part) for part in parts[:-2]]
        if len(words) % 2:
            raise ProtocolError("invalid startup packet layout: a name without a value")
        return dict(zip(words[::2], words[1::2], strict=True))


@dataclass(frozen=True)
class Message:
    """A message after the startup: its type's letter and its body."""

    kind: str
    body: bytes

    def reader(self) -> Reader:
        """Reads the body's fields in order."""
        return Reader(self.body)


class Decoder:
    """Cuts a stream of bytes into a startup packet and messages: ``feed``, then iterate."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self.started = False

    def feed(self, data: bytes) -> None:
        """Adds what was received."""
        self._bytes += data

    @property
    def pending(self) -> int:
        """How many bytes of an unfinished message are there."""
        return len(self._bytes)

    def startup(self) -> Startup | None:
        """The startup packet, or None until all of it is there. Raises ProtocolError."""
        if len(self._bytes) < 8:
            return None
        size, code = struct.unpack_from("!ii", self._bytes)
        if not 8 <= size <= MAX_STARTUP_BYTES:
            raise ProtocolError("invalid length of startup packet")
        if len(self._bytes) < size:
            return None
        body = bytes(self._bytes[8:size])
        del self._bytes[:size]
        return Startup(code, body)

    def message(self) -> Message | None:
        """The next message, or None until all of it is there. Raises ProtocolError."""
        if not self._bytes:
            return None
        if self._bytes[0] not in _KINDS:
            raise ProtocolError(f"invalid frontend message type {self._bytes[0]}")
        if len(self._bytes) < 5:
            return None
        kind, size = _head.unpack_from(self._bytes)
        if not 4 <= size <= MAX_MESSAGE_BYTES:
            raise ProtocolError(f"invalid message length {size}")
        if len(self._bytes) < size + 1:
            return None
        body = bytes(self._bytes[5 : size + 1])
        del self._bytes[: size + 1]
        return Message(kind.decode(), body)


class Reader:
    """The fields of a body. Every method raises ProtocolError where the body is too short."""

    def __init__(self, body: bytes):
        self._body = body
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        if count < 0 or self._at + count > len(self._body):
            raise ProtocolError("insufficient data left in message")
        self._at += count
        return self._body[self._at - count : self._at]

    def int16(self) -> int:
        """A signed number of 2 bytes."""
        return int(_int16.unpack(self.take(2))[0])

    def int32(self) -> int:
        """A signed number of 4 bytes."""
        return int(_int32.unpack(self.take(4))[0])

    def count(self) -> int:
        """A number of fields that follow: 2 bytes without a sign."""
        return self.int16() & 0xFFFF

    def string(self) -> str:
        """Text that ends with a zero byte."""
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise ProtocolError("invalid string in message")
        text = self._body[self._at : end]
        self._at = end + 1
        return _text(text)

    def value(self) -> bytes | None:
        """A length and so many bytes; None for NULL, which is the length -1."""
        size = self.int32()
        return None if size == -1 else self.take(size)

    def end(self) -> None:
        """Raises ProtocolError if anything is left."""
        if self._at != len(self._body):
            raise ProtocolError("invalid message format")


class BadEncoding(Exception):
    """Text that is not UTF-8; an error of the statement, not of the connection."""


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        shown = "".join(f"{byte:02x}" for byte in data[error.start : error.start + 1])
        raise BadEncoding(f'invalid byte sequence for encoding "UTF8": 0x{shown}') from error


# -- what the server sends ---------------------------------------------------------------------


def message(kind: bytes, body: bytes = b"") -> bytes:
    """A message of the server."""
    return _head.pack(kind, len(body) + 4) + body


def _string(text: str) -> bytes:
    return text.encode(errors="replace").replace(b"\0", b"") + b"\0"


AUTHENTICATION_OK = message(b"R", _int32.pack(0))
ASK_CLEARTEXT = message(b"R", _int32.pack(3))
PARSE_COMPLETE = message(b"1")
BIND_COMPLETE = message(b"2")
CLOSE_COMPLETE = message(b"3")
NO_DATA = message(b"n")
EMPTY_QUERY = message(b"I")
PORTAL_SUSPENDED = message(b"s")


def ask_md5(salt: bytes) -> bytes:
    """AuthenticationMD5Password with 4 bytes of salt."""
    return message(b"R", _int32.pack(5) + salt)


def parameter_status(name: str, value: str) -> bytes:
    """ParameterStatus."""
    return message(b"S", _string(name) + _string(value))


def backend_key(pid: int, secret: int) -> bytes:
    """BackendKeyData: what CancelRequest has to know."""
    return message(b"K", struct.pack("!ii", pid, secret))


def ready(status: str) -> bytes:
    """ReadyForQuery: I outside a transaction, T in one, E in one that has failed."""
    return message(b"Z", status.encode())


def command_complete(tag: str) -> bytes:
    """CommandComplete: ``INSERT 0 5``."""
    return message(b"C", _string(tag))


def report(fields: Mapping[str, str], *, notice: bool = False) -> bytes:
    """ErrorResponse, or NoticeResponse: S severity, C SQLSTATE, M message, D detail, H hint."""
    shown = b"".join(code.encode() + _string(text) for code, text in fields.items() if text)
    return message(b"N" if notice else b"E", shown + b"\0")


def parameter_description(oids: Sequence[int]) -> bytes:
    """ParameterDescription."""
    return message(b"t", struct.pack(f"!h{len(oids)}i", len(oids), *oids))


@dataclass(frozen=True)
class Field:
    """A column of RowDescription. The names and ``flags`` are for Redshift's drivers only."""

    name: str
    oid: int
    size: int
    modifier: int
    format: int = 0
    schema: str = ""
    table: str = ""
    column: str = ""
    catalog: str = ""
    flags: int = 0


def row_description(fields: Iterable[Field], *, extended: bool) -> bytes:
    """RowDescription; ``extended`` with the schema, table, column, database and flags of each column,
    which a client asks for with ``client_protocol_version`` 1 or 2.
    """
    parts = []
    for field in fields:
        part = _string(field.name) + struct.pack(
            "!ihihih", 0, 0, field.oid, field.size, field.modifier, field.format
        )
        if extended:
            names = (field.schema, field.table, field.column, field.catalog)
            part += b"".join(map(_string, names)) + _int16.pack(field.flags)
        parts.append(part)
    return message(b"T", _int16.pack(len(parts)) + b"".join(parts))


def data_row(cells: Sequence[bytes | None]) -> bytes:
    """DataRow; None is NULL."""
    return message(b"D", _int16.pack(len(cells)) + b"".join(_cells(cells)))


def _cells(cells: Iterable[bytes | None]) -> Iterator[bytes]:
    for cell in cells:
        if cell is None:
            yield b"\xff\xff\xff\xff"
        else:
            yield _int32.pack(len(cell))
            yield cell
