"""Table locks like Redshift's: first come, first served; deadlocks are detected.

https://docs.aws.amazon.com/redshift/latest/dg/c_write_readwrite.html
https://docs.aws.amazon.com/redshift/latest/dg/r_LOCK.html

| mode | taken by | waits for |
| --- | --- | --- |
| READ | SELECT | EXCLUSIVE |
| INSERT | INSERT, COPY under snapshot isolation | WRITE, EXCLUSIVE |
| WRITE | UPDATE, DELETE; INSERT, COPY under serializable isolation | INSERT, WRITE, EXCLUSIVE |
| EXCLUSIVE | LOCK, DROP, ALTER, TRUNCATE | everything |

Under snapshot isolation two INSERTs or COPYs of one table share a lock ("concurrent INSERT or COPY
statements are sharing a lock and making progress", c_write_readwrite), so an anti-join INSERT is
not safe without LOCK. All locks are held until the transaction ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import IntEnum

from fakeshift.errors import RedshiftError


class Mode(IntEnum):
    """A lock's strength; a stronger one covers the weaker ones."""

    READ = 1
    INSERT = 2
    WRITE = 3
    EXCLUSIVE = 4


_CONFLICTS: dict[Mode, frozenset[Mode]] = {
    Mode.READ: frozenset({Mode.EXCLUSIVE}),
    Mode.INSERT: frozenset({Mode.WRITE, Mode.EXCLUSIVE}),
    Mode.WRITE: frozenset({Mode.INSERT, Mode.WRITE, Mode.EXCLUSIVE}),
    Mode.EXCLUSIVE: frozenset(Mode),
}
_SPOKEN = {
    Mode.READ: "AccessShareLock",
    Mode.INSERT: "ShareRowExclusiveLock",
    Mode.WRITE: "ShareRowExclusiveLock",
    Mode.EXCLUSIVE: "AccessExclusiveLock",
}


@dataclass
class _Request:
    owner: int
    mode: Mode


@dataclass
class _Table:
    held: dict[int, Mode] = field(default_factory=dict)
    queue: list[_Request] = field(default_factory=list)


class LockManager:
    """Locks by table (any hashable key) and owner (a transaction id). Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._tables: dict[Hashable, _Table] = {}

    def acquire(
        self, owner: int, key: Hashable, mode: Mode, check: Callable[[], object] = bool
    ) -> bool:
        """Blocks until ``owner`` holds ``key`` in ``mode`` or stronger; whether it had to wait.

        Raises RedshiftError ("deadlock detected") for the request that would close a circle, and
        whatever ``check`` raises, which is called before each wait (``wake`` triggers another call).
        """
        with self._changed:
            table = self._tables.setdefault(key, _Table())
            if table.held.get(owner, 0) >= mode:
                return False
            request = _Request(owner, max(mode, table.held.get(owner, mode)))
            if owner in table.held:
                table.queue.insert(0, request)  # an upgrade comes before owners that hold nothing
            else:
                table.queue.append(request)
            waited = False
            try:
                while self._blockers(table, request):
                    check()
                    self._check_deadlock(key, request)
                    waited = True
                    self._changed.wait()
                table.held[owner] = request.mode
            finally:
                table.queue.remove(request)
                self._changed.notify_all()
            return waited

    def release_all(self, owner: int) -> None:
        """The transaction has ended: releases everything it held."""
        with self._changed:
            for key in [key for key, table in self._tables.items() if owner in table.held]:
                table = self._tables[key]
                del table.held[owner]
                if not table.held and not table.queue:
                    del self._tables[key]
            self._changed.notify_all()

    def wake(self) -> None:
        """Makes every waiting request check again whether it was cancelled."""
        with self._changed:
            self._changed.notify_all()

    def held(self, owner: int) -> dict[Hashable, Mode]:
        """What a transaction holds, by key."""
        with self._changed:
            return {k: t.held[owner] for k, t in self._tables.items() if owner in t.held}

    def waiting(self) -> int:
        """How many requests wait."""
        with self._changed:
            return sum(
                bool(self._blockers(table, request))
                for table in self._tables.values()
                for request in table.queue
            )

    def _blockers(self, table: _Table, request: _Request) -> set[int]:
        """The transactions that this request waits for: conflicting holders, earlier waiters."""
        against = _CONFLICTS[request.mode]
        found = {o for o, m in table.held.items() if o != request.owner and m in against}
        for earlier in table.queue:
            if earlier is request:
                break
            if earlier.owner != request.owner and earlier.mode in against:
                found.add(earlier.owner)
        return found

    def _check_deadlock(self, key: Hashable, request: _Request) -> None:
        waits_for: dict[int, set[int]] = {}
        for table in self._tables.values():
            for waiting in table.queue:
                waits_for.setdefault(waiting.owner, set()).update(self._blockers(table, waiting))
        seen: set[int] = set()
        todo = list(waits_for.get(request.owner, ()))
        while todo:
            owner = todo.pop()
            if owner == request.owner:
                name = ".".join(key) if isinstance(key, tuple) else str(key)
                raise RedshiftError(
                    "deadlock detected",
                    detail=f"Process {request.owner} waits for {_SPOKEN[request.mode]} "
                    f"on relation {name}; blocked by a process that waits for it.",
                    sqlstate="40P01",
                )
            if owner not in seen:
                seen.add(owner)
                todo.extend(waits_for.get(owner, ()))
