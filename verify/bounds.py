"""How long a run is expected to take, what it costs, and when it stops."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from conformance.model import Case

AT_A_TIME = 8
"""Cases at a time: they mostly wait. A warehouse accepts 500 sessions."""
MINUTES = 25.0
DOLLARS = 1.25
CLEANING_SECONDS = 120.0
"""How long the clean-up may take beyond the limit."""

# Conservative guesses: there is no report of a real run yet. docs/costs.md says where they come from.
STATEMENT_SECONDS = 0.5
FILE_SECONDS = 2.5
CONNECT_SECONDS = 10.0
PREFLIGHT_SECONDS = 150.0
DATA_SECONDS = 420.0
"""Waiting for events costs too: while the ledger is read every few seconds, the warehouse stays awake."""
PROBE_SECONDS = 6.0
LOADS = 8
"""Executions that the preflight and the data part start, at most a few; each is counted as a whole load."""
LOAD_TRANSITIONS, LOAD_INVOCATIONS, LOAD_GB_SECONDS, LOAD_REQUESTS = 20, 12, 20.0, 60


@cache
def price(of: str) -> float:
    """Dollars of one of it, by functions/loader/page/prices.json."""
    path = Path(__file__).resolve().parents[1] / "functions" / "loader" / "page" / "prices.json"
    found = json.loads(path.read_text(encoding="utf-8"))["prices"][of]
    return float(found["dollars"]) / float(found["per"])


@dataclass(frozen=True)
class Estimate:
    """Of a run, without cleaning up. A serverless warehouse of ``rpu`` is paid for all of its seconds."""

    seconds: float
    rpu: float
    requests: int
    loads: int

    @property
    def warehouse_dollars(self) -> float:
        return self.seconds * self.rate

    @property
    def rate(self) -> float:
        """Dollars of a second of the warehouse."""
        return self.rpu / 3600 * price("rpu_hour")

    @property
    def other_dollars(self) -> float:
        """Everything but the warehouse; each S3 request is counted as a PUT, the most expensive."""
        return (
            self.requests * price("s3_put")
            + self.loads * LOAD_TRANSITIONS * price("transition")
            + self.loads * LOAD_INVOCATIONS * price("invocation")
            + self.loads * LOAD_GB_SECONDS * price("gb_second")
        )

    @property
    def dollars(self) -> float:
        return self.warehouse_dollars + self.other_dollars

    @property
    def most(self) -> float:
        """Including the clean-up: what --dollars must allow for a full run."""
        return self.dollars + CLEANING_SECONDS * self.rate

    @property
    def allow(self) -> str:
        """How to allow a full run."""
        return f"The full run may cost ${self.most:.2f}; allow it with --dollars {math.ceil(self.most)}."


def seconds_of(case: Case) -> float:
    """Of one case, alone."""
    if case.is_plain:
        return STATEMENT_SECONDS
    schema = 4  # CREATE SCHEMA, SET, ROLLBACK, DROP SCHEMA
    statements = schema + len(case.setup) + len(case.batch) + bool(case.sql) + bool(case.after)
    texts = [*case.setup, *case.batch, case.sql]
    files = sum("${bucket}" in text for text in texts)
    return (statements - files) * STATEMENT_SECONDS + files * FILE_SECONDS


def estimate(
    parts: Iterable[str], cases: Iterable[Case], probes: int, *, rpu: float, at_a_time: int
) -> Estimate:
    """What these parts take."""
    chosen, listed = set(parts), list(cases)
    seconds, requests, loads = CONNECT_SECONDS, 0, 0
    if "preflight" in chosen:
        seconds, loads = seconds + PREFLIGHT_SECONDS, loads + 1
    if "data" in chosen:
        seconds, loads = seconds + DATA_SECONDS, loads + LOADS
    if "probes" in chosen:
        seconds, requests = seconds + probes * PROBE_SECONDS, requests + 2 * probes
    if "conformance" in chosen:
        seconds += sum(map(seconds_of, listed)) / at_a_time
        requests += sum(2 * len(case.objects) + 2 * bool(case.written) for case in listed)
    return Estimate(seconds, rpu, requests + loads * LOAD_REQUESTS, loads)


def bound(expected: Estimate, *, minutes: float, dollars: float) -> float:
    """Seconds after which a run starts nothing: the minutes, or those in which the warehouse costs the dollars."""
    seconds = 60 * minutes
    if expected.rate:
        # All of the time is paid, including the clean-up.
        paid = (dollars - expected.other_dollars) / expected.rate - CLEANING_SECONDS
        seconds = min(seconds, paid)
    return max(seconds, 0.0)


class TimeIsUp(Exception):
    """The limit is reached: the rest is not tried."""


@dataclass
class Deadline:
    """When a run stops asking; what it created is cleaned up afterwards."""

    seconds: float
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._started = self.clock()

    @property
    def used(self) -> float:
        return self.clock() - self._started

    @property
    def over(self) -> bool:
        return self.used >= self.seconds

    def check(self) -> None:
        """Raises TimeIsUp once the limit is reached."""
        if self.over:
            raise TimeIsUp
