"""SERIALIZABLE isolation: if no serial order explains concurrent transactions, one of them fails.

https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
As in Redshift, dependencies are per table: a reader comes before a concurrent writer of what it
read, a writer before a reader of what it wrote. A statement that closes a circle ends its
transaction with error 1023.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field

from fakeshift.catalog.model import Key
from fakeshift.errors import RedshiftError


@dataclass
class _Transaction:
    id: int
    began: int
    ended: int | None = None
    reads: set[Key] = field(default_factory=set)
    writes: set[Key] = field(default_factory=set)


class SerializationGraph:
    """What recent transactions read and wrote. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clock = itertools.count(1)
        self._known: dict[int, _Transaction] = {}

    def begin(self, transaction: int) -> None:
        """The transaction has taken its snapshot."""
        with self._lock:
            self._known[transaction] = _Transaction(transaction, next(self._clock))

    def touch(
        self, transaction: int, reads: set[Key], writes: set[Key], oid: int, pid: int
    ) -> None:
        """A statement reads and writes these tables; ``oid`` and ``pid`` are for the message.

        Raises RedshiftError 1023 if that closes a circle.
        """
        with self._lock:
            own = self._known[transaction]
            own.reads |= reads
            own.writes |= writes
            circle = self._circle(own)
            if circle:
                numbers = ", ".join(str(number) for number in circle)
                raise RedshiftError(
                    "1023",
                    detail=f"Serializable isolation violation on table - {oid}, transactions "
                    f"forming the cycle are: {numbers} (pid:{pid})",
                    sqlstate="40001",
                )

    def commit(self, transaction: int) -> None:
        """The transaction has committed; it matters as long as a concurrent one is open."""
        with self._lock:
            if transaction in self._known:
                self._known[transaction].ended = next(self._clock)
                self._forget()

    def rollback(self, transaction: int) -> None:
        """The transaction never happened."""
        with self._lock:
            self._known.pop(transaction, None)
            self._forget()

    def _forget(self) -> None:
        oldest = min((t.began for t in self._known.values() if t.ended is None), default=None)
        for known in list(self._known.values()):
            if known.ended is not None and (oldest is None or known.ended < oldest):
                del self._known[known.id]

    def _before(self, one: _Transaction, other: _Transaction) -> bool:
        """Whether every serial order has ``one`` before ``other``."""
        sees = one.ended is not None and one.ended < other.began
        if sees:
            return bool(one.writes & (other.reads | other.writes) or one.reads & other.writes)
        blind = other.ended is None or other.ended > one.began
        if blind and one.reads & other.writes:
            return True
        both_wrote = one.writes & other.writes
        return bool(both_wrote and one.ended is not None and other.ended is None)

    def _circle(self, start: _Transaction) -> list[int]:
        """The ids along a circle through ``start``, empty if there is none."""
        stack = [(start, [start.id])]
        seen: set[int] = set()
        while stack:
            current, path = stack.pop()
            for following in self._known.values():
                if following is current or not self._before(current, following):
                    continue
                if following is start:
                    return path
                if following.id not in seen:
                    seen.add(following.id)
                    stack.append((following, [*path, following.id]))
        return []
