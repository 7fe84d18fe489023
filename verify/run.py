"""What all parts of a run share."""

from __future__ import annotations

import secrets
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from conformance.runner import Runner

from verify.bounds import Deadline
from verify.place import PREFIX, SCHEMAS, Place
from verify.results import Result


def new_id() -> str:
    """A run's id: the time and something by which two runs of one second differ."""
    return f"{datetime.now(UTC):%y%m%d%H%M%S}{secrets.token_hex(2)}"


@dataclass
class Run:
    """One run: its place, its names, its end, and what it has found so far.

    uploaded   whether the stack may have loaded files of it
    """

    id: str
    place: Place
    deadline: Deadline
    results: list[Result] = field(default_factory=list)
    uploaded: bool = False
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    @property
    def prefix(self) -> str:
        """Of the run's keys and queues."""
        return f"{PREFIX}{self.id}"

    @property
    def schemas(self) -> str:
        """What the names of the run's schemas begin with."""
        return f"{SCHEMAS}{self.id}_"

    def add(self, result: Result) -> None:
        with self._lock:
            self.results.append(result)

    def runner(self, what: str) -> Runner:
        """Statements and cases of a part, whose schemas and keys have the run's prefix."""
        return Runner(self.place.target(self.id, what), strict=False)
