"""The time in the world: it passes when something waits or calls, never by itself, so that each run sees the same."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta

BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES = uuid.UUID("6f1c1a3e-52e4-4f4f-9d8e-0f3a86f6a1d7")


class Clock:
    """Starts at BEGIN; thread-safe. Microseconds are whole, so that sums are exact."""

    def __init__(self, now: datetime = BEGIN, uuids: int = 0) -> None:
        self._lock = threading.Lock()
        self._now = now
        self.uuids = uuids

    def now(self) -> datetime:
        return self._now

    def naive(self) -> datetime:
        """UTC without saying so, as moto has it."""
        return self._now.replace(tzinfo=None)

    def time(self) -> float:
        """Seconds since 1970."""
        return (self._now - _EPOCH).total_seconds()

    def iso(self) -> str:
        """As Step Functions writes a time: ``2026-03-02T08:00:00.000Z``."""
        return self._now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self._now.microsecond // 1000:03d}Z"

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now += timedelta(microseconds=max(round(seconds * 1e6), 0))

    def forward_to(self, moment: datetime) -> None:
        """Waits until then; nothing if it has passed."""
        with self._lock:
            self._now = max(self._now, moment)

    def uuid(self) -> uuid.UUID:
        """Another one each time, the same ones in each world."""
        with self._lock:
            self.uuids += 1
            return uuid.uuid5(_NAMES, str(self.uuids))
