"""The catalogue's rows as they are committed, kept until a commit changes the catalogue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

Row = TypeVar("Row")


class CommittedRows:
    """Rows by any hashable key, for sessions that see the catalogue as it is now. Thread-safe.

    A ``version`` is what the catalogue is between two commits that change it. While such a commit is
    under way its work may be seen or not, so then there is none, and nothing is kept.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commits = 0
        self._under_way = 0
        self._rows: dict[Hashable, object] = {}

    @property
    def version(self) -> int | None:
        """The present version; None while a commit changes it."""
        with self._lock:
            return None if self._under_way else self._commits

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Around a commit that changes the catalogue."""
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
        """The row that ``read`` gives, which sees the catalogue in that version, None for unknown."""
        with self._lock:
            if version == self._commits and key in self._rows:
                return cast(Row, self._rows[key])
        row = read()
        with self._lock:
            if version == self._commits and not self._under_way:
                self._rows[key] = row
        return row
