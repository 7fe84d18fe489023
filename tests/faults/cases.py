"""Which faults there are, from the recordings, and which of them run.

With FAULTS=all in the environment: all of the MAIN scenarios, and of the others what those do not have. Otherwise a
selection that meets each thing once that a case says that it meets.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar
from zlib import crc32

from fakeshift import Isolation
from tests.world.boundary import Place
from tests.world.recordings import recorded
from tests.world.warehouse import SQL_KINDS

ALL = os.environ.get("FAULTS") == "all"
MAIN = ("plain", "bad", "late", "conflict", "sweep", "undo", "first", "contract")
# What these have need not be met in longer ones, such as "check", whose preflight plans every statement of the loader.
SHORT = ("late", "undo", "slow", "by-key")
LEVELS: tuple[Isolation, Isolation] = ("snapshot", "serializable")
STORMS = (
    "blip",
    "lost",
    "twice",
)  # what every call of a load may meet, and the load still does its work

OF_A_CLIENT = ("blip", "throttled", "failing", "mute", "slow")


@dataclass(frozen=True)
class CallFault:
    """The call at ``place`` of a scenario goes wrong."""

    scenario: str
    place: Place
    kind: str

    def __str__(self) -> str:
        return words(f"{self.scenario}-{self.place}-{self.kind}-{isolation(self)}")

    def meets(self) -> set[tuple[str, ...]]:
        """Each kind of each operation, each operation of each caller. The preflight's looks at S3 change nothing and
        all end in one place, and each case plans every statement of the loader: they share their kinds. What a client
        answers by itself, by trying again, is met for each service.
        """
        service = self.place.operation.partition(".")[0]
        looks = not ALL and self.place.caller == "preflight" and service == "s3"
        operation = "s3, preflight" if looks else self.place.operation
        if not ALL and self.kind in OF_A_CLIENT:
            operation = service
        kind = (operation, self.kind, self.place.caller if ALL else "")
        return {kind, (self.place.caller, self.place.operation), ("scenario", self.scenario)}


@dataclass(frozen=True)
class StatementFault:
    """The n-th SQL statement of a scenario goes wrong; ``what`` is its number, verb and table."""

    scenario: str
    what: str
    kind: str

    def __str__(self) -> str:
        return words(f"{self.scenario}-{self.what}-{self.kind}-{isolation(self)}")

    @property
    def number(self) -> int:
        return int(self.what.partition("-")[0])

    def meets(self) -> set[tuple[str, ...]]:
        """Each kind, and each verb; with FAULTS=all each kind of each verb and table."""
        _, verb, *table = self.what.split("-")
        if ALL:
            return {(verb, self.kind, *table), ("scenario", self.scenario)}
        return {("verb", verb), ("kind", self.kind), ("scenario", self.scenario)}


@dataclass(frozen=True)
class Stop:
    """A person stops the execution that enters the n-th state (from 0); then it is redriven, or left to the sweep."""

    scenario: str
    number: int
    state: str
    after: str

    def __str__(self) -> str:
        return words(f"{self.scenario}-{self.number}-{self.state}-{self.after}-{isolation(self)}")

    def meets(self) -> set[tuple[str, ...]]:
        """Each state, half of them redriven."""
        other = self.after == "redriven"
        return {(self.state, self.after)} if ALL or other == (len(self.state) % 2 == 1) else set()


C = TypeVar("C", CallFault, StatementFault, Stop)


def isolation(case: CallFault | StatementFault | Stop) -> Isolation:
    """Half of the cases run under each isolation level."""
    return LEVELS[crc32(repr(case).encode()) % 2]


def words(text: str) -> str:
    return text.replace(" ", "_").replace("?", "").lower()


def every_call() -> Iterator[CallFault]:
    for scenario, recording in recorded().items():
        for call in recording.calls:
            for kind in call.kinds:
                yield CallFault(scenario, call.place, kind)


def every_statement() -> Iterator[StatementFault]:
    """But no LOCK that hangs: it waits for another load, for as long as that takes."""
    for scenario, recording in recorded().items():
        for what in recording.statements:
            for kind in SQL_KINDS:
                if kind != "hangs" or "-LOCK" not in what:
                    yield StatementFault(scenario, what, kind)


def every_state() -> Iterator[Stop]:
    for scenario, recording in recorded().items():
        for number, state in enumerate(recording.states):
            for after in ("swept", "redriven"):
                yield Stop(scenario, number, state, after)


def selected(cases: Iterable[C]) -> list[C]:
    """Those that run, in their order."""
    found = list(cases)
    chosen = [case for case in found if ALL and case.scenario in MAIN]
    met = set().union(*(case.meets() for case in chosen or filter(_in_a_storm, found)))
    for scenarios in (SHORT, MAIN, recorded()):
        # Greedily: those that meet most of what is not met, of equals the first.
        remaining = [(case, case.meets()) for case in found if case.scenario in scenarios]
        while remaining := [(case, meets) for case, meets in remaining if meets - met]:
            case, meets = max(remaining, key=lambda one: len(one[1] - met))
            chosen.append(case)
            met |= meets
    order = {case: number for number, case in enumerate(found)}
    return sorted(chosen, key=lambda case: order[case])


def storms() -> list[tuple[str, str, Isolation]]:
    """(scenario, kind, isolation) of the loads in which every call goes wrong once: one for each of the MAIN scenarios;
    with FAULTS=all each kind and level for every scenario.
    """
    if ALL:
        return [(name, kind, level) for name in recorded() for kind in STORMS for level in LEVELS]
    return [(name, STORMS[number % 3], LEVELS[number % 2]) for number, name in enumerate(MAIN)]


def _in_a_storm(case: CallFault | StatementFault | Stop) -> bool:
    return isinstance(case, CallFault) and (case.scenario, case.kind) in {
        (scenario, kind) for scenario, kind, _ in storms()
    }
