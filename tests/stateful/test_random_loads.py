"""Random uploads, loads, faults, stops and undos: whatever happens, the tables are at any time those of the files that
the ledger says are loaded, and when all has settled these are the files that must be.

    HYPOTHESIS_PROFILE=long .venv/bin/python -m pytest tests/stateful/test_random_loads.py

(LOADS_EXAMPLES and LOADS_STEPS say how many stories, and of how many steps.) A failure prints its steps as a script.
The short profile, that of `make test`, tells the same few stories each time and does not shorten one that fails; the
long one tells new ones and does.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from fakeshift import Isolation
from tests.stateful.course import (
    STATEMENT_WAYS,
    CallFault,
    Delete,
    StatementFault,
    Stop,
    Sweep,
    Turn,
    Upload,
)
from tests.stateful.story import Story, Undo
from tests.stateful.worlds import new_world
from tests.world import files
from tests.world.files import weighted

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
EXAMPLES = int(os.environ.get("LOADS_EXAMPLES", "100" if LONG else "3"))
STEPS = int(os.environ.get("LOADS_STEPS", "20" if LONG else "10"))
SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=not LONG,
    database=None,
    phases=(Phase.generate, Phase.shrink) if LONG else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
PARAMETERS: tuple[dict[str, str], ...] = (
    {},
    {"BatchFiles": "1"},
    {"BatchFiles": "2", "MaxBatches": "1"},
    {"MaxLoadsAtOnce": "1"},
)
PREFIXES = ("log_data/", "song_data/", "log_data/2018/")


# -- steps -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Do:
    """A step of a story (story.py); what is empty does not print."""

    what: str
    given: tuple[tuple[str, Any], ...]

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.given if value or value == 0)
        return f"{self.what}({given})"


def step(what: str, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Do]:
    return st.fixed_dictionaries(given).map(lambda drawn: Do(what, tuple(drawn.items())))


def rarely(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """A list of one or two, in every third case."""
    return weighted((2, st.just([])), (1, st.lists(strategy, min_size=1, max_size=2)))


keys = st.sampled_from([*files.LOG_KEYS, *files.SONG_KEYS, *files.QUIET_KEYS])
some_keys = st.lists(keys, min_size=1, max_size=3, unique=True)
some_files = st.lists(
    weighted((8, files.any_files), (1, files.quiet_logs), (1, files.no_data)),
    min_size=1,
    max_size=3,
)
numbers = st.integers(0, 9)
inputs = weighted(
    (3, st.just({})),
    (2, st.sampled_from(PREFIXES).map(lambda prefix: {"prefixes": [prefix]})),
    (2, some_keys.map(lambda k: {"keys": k})),
    (2, st.builds(Undo, numbers)),
    (1, some_keys.map(lambda k: {"keys": k, "dry_run": True})),
    (1, st.sampled_from([{"dry_run": True}, {"prefixes": ["elsewhere/"]}, {"check": True}])),
)
actions = st.lists(
    weighted(
        (6, st.builds(Turn, st.integers(0, 3), st.integers(1, 40))),
        (2, st.builds(Upload, files.any_files)),
        (1, st.builds(Delete, keys)),
        (1, st.just(Sweep())),
        (1, st.builds(Stop, st.integers(0, 3))),
    ),
    max_size=8,
)
wrongs = weighted(
    (1, st.builds(CallFault, st.integers(0, 60), st.integers(0, 20))),
    (1, st.builds(StatementFault, st.integers(0, 60), st.sampled_from(STATEMENT_WAYS))),
)
loads = step(
    "load",
    uploads=some_files,
    starts=rarely(inputs),
    actions=actions,
    wrong=rarely(wrongs),
    unheard=st.sampled_from([False, False, False, True]),
    apart=st.booleans(),
    slow=st.booleans(),
)
added = step(
    "add_lines",
    key=st.sampled_from([*files.LOG_KEYS, *files.SONG_KEYS]),
    events=st.lists(files.events, min_size=1, max_size=2),
    songs=st.lists(files.songs, min_size=1, max_size=2),
)
quiet = st.lists(st.sampled_from(files.QUIET_KEYS), min_size=1, max_size=2, unique=True)
STEPS_OF_A_STORY = weighted(
    (12, loads),
    (3, added),
    (2, step("load", starts=st.lists(inputs, min_size=1, max_size=3), actions=actions)),
    (2, step("load_at_once", uploads=some_files, starts=rarely(inputs))),
    (2, step("sweep", starts=rarely(inputs), actions=actions)),
    (1, step("copy", source=keys, to=keys)),
    (2, step("put_back", which=st.integers(0, 30))),
    (1, step("delete", key=keys)),
    (2, step("tell_again", which=st.integers(0, 30), times=st.integers(1, 2))),
    (2, step("undo", which=numbers, wrong=rarely(wrongs), dry=st.booleans())),
    (1, step("undo_at_last", which=numbers)),
    (1, step("redrive", which=numbers)),
    (1, step("reload_quiet", keys=quiet)),
    (1, step("wait", days=st.sampled_from([1, 5]))),
    (1, step("dry_run", prefix=st.sampled_from(PREFIXES))),
    (1, step("settle")),
    (1 if LONG else 0, step("reset")),
)


# -- stories ---------------------------------------------------------------------------------


class RandomLoads(RuleBasedStateMachine):
    """One rule, so that every story has its share of loads: Hypothesis leaves rules out of a story."""

    isolation: Isolation = "snapshot"
    story: Story | None = None

    @initialize(parameters=st.sampled_from(PARAMETERS))
    def begin(self, parameters: dict[str, str]) -> None:
        self.entered = ExitStack()
        world = self.entered.enter_context(new_world(self.isolation, parameters))
        self.story = Story(world, note, event)

    @rule(step=STEPS_OF_A_STORY)
    def then(self, step: Do) -> None:
        getattr(self.story, step.what)(**dict(step.given))

    def teardown(self) -> None:
        if self.story:
            with self.entered:
                self.story.settle()


class RandomLoadsSerializable(RandomLoads):
    isolation = "serializable"


TestSnapshot = RandomLoads.TestCase
TestSnapshot.settings = SETTINGS
TestSerializable = RandomLoadsSerializable.TestCase
TestSerializable.settings = SETTINGS
if LONG:
    pytestmark = pytest.mark.timeout(0)
