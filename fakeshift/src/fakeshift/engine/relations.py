"""The committed rows of the catalogue, cached until a commit changes the catalogue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

Row = TypeVar("Row")


class CommittedRows:
    """Rows by any hashable key, for sessions that see the current catalogue. Thread-safe.

    The ``version`` changes with every commit that changes the catalogue. During such a commit its
    work may or may not be visible, so there is no version and nothing is cached.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commits = 0
        self._under_way = 0
        self._rows: dict[Hashable, object] = {}

    @property
    def version(self) -> int | None:
        """The current version; None while a commit changes it."""
        with self._lock:
            return None if self._under_way else self._commits

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Use it around a commit that changes the catalogue."""
        with self._lock:
            self._under_way += 1
            self._commits += 1
            self._rows = {}
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1
                self._commits += 1

    def get(self, version: int | None, key: Hashable, read: Callable[[], Row]) -> Row:
        """The row, cached or from ``read``, which sees the catalogue in that version (None: unknown)."""
        with self._lock:
            if version == self._commits and key in self._rows:
                return cast(Row, self._rows[key])
        row = read()
        with self._lock:
            if version == self._commits and not self._under_way:
                self._rows[key] = row
        return row
