"""A client of the PostgreSQL protocol that sends what a test says, also what no driver would send."""

from __future__ import annotations

import hashlib
import socket
import struct
from collections.abc import Iterator, Sequence
from types import TracebackType

Answer = tuple[str, bytes]
"""A message of the server: its type's letter and its body."""


def packet(code: int, body: bytes = b"") -> bytes:
    """A packet without a type: StartupMessage, SSLRequest, CancelRequest."""
    return struct.pack("!ii", len(body) + 8, code) + body


def message(kind: str, body: bytes = b"") -> bytes:
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


def text(*words: str) -> bytes:
    return b"".join(word.encode() + b"\0" for word in words)


def startup(**parameters: str) -> bytes:
    words = [word for pair in parameters.items() for word in pair]
    return packet(196608, text(*words) + b"\0")


def parse(sql: str, name: str = "", oids: Sequence[int] = ()) -> bytes:
    return message("P", text(name, sql) + struct.pack(f"!h{len(oids)}i", len(oids), *oids))


def bind(
    values: Sequence[bytes | None] = (),
    *,
    name: str = "",
    portal: str = "",
    formats: Sequence[int] = (),
    results: Sequence[int] = (),
) -> bytes:
    cells = b"".join(
        struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
        for value in values
    )
    return message(
        "B",
        text(portal, name)
        + struct.pack(f"!h{len(formats)}h", len(formats), *formats)
        + struct.pack("!h", len(values))
        + cells
        + struct.pack(f"!h{len(results)}h", len(results), *results),
    )


def describe(kind: str, name: str = "") -> bytes:
    return message("D", kind.encode() + text(name))


def execute(limit: int = 0, portal: str = "") -> bytes:
    return message("E", text(portal) + struct.pack("!i", limit))


def close(kind: str, name: str = "") -> bytes:
    return message("C", kind.encode() + text(name))


SYNC, FLUSH, LEAVE = message("S"), message("H"), message("X")


def fields(body: bytes) -> dict[str, str]:
    """ErrorResponse or NoticeResponse: ``{"C": "42703", "M": ...}``."""
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


def cells(body: bytes) -> list[bytes | None]:
    """DataRow."""
    found: list[bytes | None] = []
    at = 2
    for _ in range(struct.unpack_from("!h", body)[0]):
        (size,) = struct.unpack_from("!i", body, at)
        at += 4
        found.append(None if size < 0 else body[at : at + size])
        at += max(size, 0)
    return found


def columns(body: bytes) -> list[tuple[str, int, int]]:
    """RowDescription: name, type's id and modifier of each column."""
    found = []
    at = 2
    for _ in range(struct.unpack_from("!h", body)[0]):
        end = body.index(b"\0", at)
        _, _, oid, _, modifier, _ = struct.unpack_from("!ihihih", body, end + 1)
        found.append((body[at:end].decode(), oid, modifier))
        at = end + 19
    return found


class Client:
    """A connection; as a context manager it is closed at the end."""

    def __init__(self, port: int, *, seconds: float = 20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self._bytes = b""
        self.parameters: dict[str, str] = {}
        self.key = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def login(self, *, password: str = "", **parameters: str) -> list[Answer]:
        """Starts a session; returns the answers that are not parameters and keys."""
        given = {"user": "me", "database": "dev", **parameters}
        self.send(startup(**given))
        rest = []
        for kind, body in self.answers():
            if kind == "R" and body[:4] == struct.pack("!i", 5):
                inner = hashlib.md5(
                    (password + given["user"]).encode(), usedforsecurity=False
                ).hexdigest()
                shown = (
                    "md5"
                    + hashlib.md5(inner.encode() + body[4:], usedforsecurity=False).hexdigest()
                )
                self.send(message("p", text(shown)))
            elif kind == "R" and body[:4] == struct.pack("!i", 3):
                self.send(message("p", text(password)))
            elif kind == "S":
                name, value = body.decode().split("\0")[:2]
                self.parameters[name] = value
            elif kind == "K":
                self.key = body
            else:
                rest.append((kind, body))
        return rest

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def answer(self) -> Answer | None:
        """The next message; None at the end of the stream."""
        while True:
            if len(self._bytes) >= 5:
                (size,) = struct.unpack_from("!i", self._bytes, 1)
                if len(self._bytes) > size:
                    kind, body = self._bytes[:1].decode(), self._bytes[5 : size + 1]
                    self._bytes = self._bytes[size + 1 :]
                    return kind, body
            data = self.socket.recv(65536)
            if not data:
                return None
            self._bytes += data

    def answers(self) -> Iterator[Answer]:
        """Up to ReadyForQuery, which is the last, or the end of the stream."""
        while (answer := self.answer()) is not None:
            yield answer
            if answer[0] == "Z":
                return

    def ask(self, *parts: bytes) -> list[Answer]:
        """Sends, and returns the answers up to ReadyForQuery."""
        self.send(*parts)
        return list(self.answers())

    def query(self, sql: str) -> list[Answer]:
        """A simple query."""
        return self.ask(message("Q", text(sql)))

    def rows(self, sql: str) -> list[list[bytes | None]]:
        """The rows of a simple query; fails if there is an error."""
        answers = self.query(sql)
        errors = [fields(body) for kind, body in answers if kind == "E"]
        assert not errors, errors
        return [cells(body) for kind, body in answers if kind == "D"]

    def error(self, sql: str) -> dict[str, str]:
        """The error of a simple query."""
        (found,) = (fields(body) for kind, body in self.query(sql) if kind == "E")
        return found
