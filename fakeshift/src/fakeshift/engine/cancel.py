"""Cancels a running statement: interrupts it repeatedly until it has ended.

One ``interrupt()`` is not enough. DuckDB clears its flag when a query starts, so an interrupt that
comes too early is lost; and a statement is many queries with Python between them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from fakeshift.errors import RedshiftError

_EVERY_SECONDS = 0.005


class Cancellation:
    """Belongs to one session; its thread calls ``begin`` and ``end``, any thread ``ask``.

    From ``ask`` to ``end`` a thread calls ``interrupt`` every few milliseconds while the statement
    is inside ``open``, and always ``wake``. ``closed`` protects BEGIN, COMMIT and ROLLBACK.
    """

    def __init__(self, interrupt: Callable[[], object], wake: Callable[[], object]):
        self._interrupt = interrupt
        self._wake = wake
        self._lock = threading.Lock()
        self._reason: RedshiftError | None = None
        self._open = False
        self._over = threading.Event()
        self._over.set()

    def begin(self) -> None:
        """A statement starts; it has not been asked to stop."""
        with self._lock:
            self._reason, self._over = None, threading.Event()

    def end(self) -> None:
        """The statement has ended: stops interrupting."""
        with self._lock:
            self._over.set()

    def ask(self, reason: RedshiftError) -> None:
        """Ends the running statement, if any, with ``reason``; the first reason counts."""
        with self._lock:
            if self._over.is_set() or self._reason is not None:
                return
            self._reason = reason
            over = self._over
        threading.Thread(target=self._insist, args=(over,), name="cancel", daemon=True).start()

    def _insist(self, over: threading.Event) -> None:
        while True:
            with self._lock:
                if self._open and not over.is_set():
                    self._interrupt()
            self._wake()
            if over.wait(_EVERY_SECONDS):
                return

    @property
    def reason(self) -> RedshiftError | None:
        """The reason for which the running statement must end, or None."""
        return self._reason

    def check(self) -> None:
        """Raises the reason, if the running statement was asked to stop."""
        reason = self._reason
        if reason is not None:
            raise reason

    def open(self) -> AbstractContextManager[None]:
        """DuckDB may be interrupted in this block."""
        return self._gate(is_open=True)

    def closed(self) -> AbstractContextManager[None]:
        """DuckDB is not interrupted in this block."""
        return self._gate(is_open=False)

    @contextmanager
    def _gate(self, *, is_open: bool) -> Iterator[None]:
        with self._lock:
            before, self._open = self._open, is_open
        try:
            yield
        finally:
            with self._lock:
                self._open = before
