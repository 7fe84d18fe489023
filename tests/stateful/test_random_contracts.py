"""Random uploads, loads, reloads, faults, stops and undos of contracts: whatever happens, the tables are at any time
those of the files that the ledger says are loaded, as the oracle computes them from the contract.

One dataset and few stories in `make test`; with HYPOTHESIS_PROFILE=long all of contract_files.py (test_random_loads.py
says more).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from fakeshift import Isolation
from tests.stateful import contract_files
from tests.stateful.contract_files import CONTRACTS, FIRST, KEYS, OwnFile
from tests.stateful.course import Action, Delete, Stop, Sweep, Turn, Upload
from tests.stateful.model import Model, Version
from tests.stateful.story import Start, Story, Undo
from tests.stateful.test_random_loads import LONG, PARAMETERS, SETTINGS, Do, rarely, step, wrongs
from tests.stateful.worlds import statements_kept_by_its_clock
from tests.world import contract_oracle, oracle
from tests.world.contract_oracle import File
from tests.world.files import weighted
from tests.world.simulator import Memory, World
from tests.world.trees import with_contracts

DATASETS: tuple[str, ...] = tuple(CONTRACTS) if LONG else ("orders",)
BEGUN = tuple(file for file in FIRST if file.dataset in DATASETS)

pytestmark = [
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),
    *([pytest.mark.timeout(0)] if LONG else []),
]


class OfContracts(Model):
    """The files of contracts; Sparkify has none."""

    def takes(self, key: str) -> bool:
        return key.startswith(tuple(f"{name}/" for name in DATASETS))

    def tables_of(self, loaded: set[Version]) -> oracle.Tables:
        return oracle.tables({})

    def diff(self, world: World, loaded: set[Version]) -> str:
        rows, modes = world.warehouse.query(
            "SELECT key, etag, load_id FROM sparkify.files WHERE status = 'loaded'",
            "SELECT DISTINCT load_id, mode FROM sparkify.loads",
        )
        reloads = {load_id for load_id, mode in modes if mode == "reload"}
        told = []
        for name in DATASETS:
            contract = CONTRACTS[name]
            found = []
            for key, etag, load_id in rows:
                file = self.versions.get((key, etag))
                if file and key.startswith(contract.prefix):
                    assert not file.bad, f"{file} is loaded"
                    found.append(File(key, file.body, load_id if load_id in reloads else ""))
            there = contract_oracle.read(contract, world.warehouse.query)
            told.append(contract_oracle.diff(contract_oracle.tables(contract, found), there))
        return "\n".join(filter(None, told))

    def keys_of(self, versions: set[Version]) -> set[tuple[object, ...]]:
        found: set[tuple[object, ...]] = set()
        for version in versions:
            file = self.versions[version]
            assert isinstance(file, OwnFile)
            found |= contract_oracle.keys(CONTRACTS[file.dataset], file.key, file.body)
        return found


class OfOrders(Story):
    """A story of contracts."""

    def copy(self, source: str, to: str) -> None:
        known = self._present(source)
        if isinstance(known, OwnFile) and known.dataset == to.partition("/")[0]:
            self._put(OwnFile(to, known.records, known.cut))

    def reload(self, keys: Sequence[str], actions: Sequence[Action], wrong: Sequence[Any]) -> None:
        """Files are loaded again, whatever others say of the same keys."""
        there = [key for key in keys if self._present(key)]
        self.load(
            starts=[{"reload": True, "keys": there}] if there else [], actions=actions, wrong=wrong
        )


@cache
def tree() -> Path:
    from tests.stateful import worlds

    return with_contracts(worlds._folder() / "contracts", dict(contract_files.parts(DATASETS)))


@cache
def begun() -> Memory:
    from tests.stateful import worlds

    world = World(worlds._folder() / "contracts-first", tree=tree())
    with statements_kept_by_its_clock(world):
        for file in BEGUN:
            world.upload(file.key, file.body)
        world.settle()
    return world.remember()


files = contract_files.files_of(DATASETS)
keys = st.sampled_from([key for name in DATASETS for key in KEYS[name]])
some_keys = st.lists(keys, min_size=1, max_size=3, unique=True)
numbers = st.integers(0, 9)
inputs: st.SearchStrategy[Start] = weighted(
    (3, st.just({})),
    (2, some_keys.map(lambda k: {"keys": k})),
    (2, some_keys.map(lambda k: {"reload": True, "keys": k})),
    (2, st.builds(Undo, numbers)),
)
actions = st.lists(
    weighted(
        (6, st.builds(Turn, st.integers(0, 3), st.integers(1, 40))),
        (2, st.builds(Upload, files)),
        (1, st.builds(Delete, keys)),
        (1, st.just(Sweep())),
        (1, st.builds(Stop, st.integers(0, 3))),
    ),
    max_size=8,
)
some_files = st.lists(files, min_size=1, max_size=3)
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
STEPS_OF_A_STORY = weighted(
    (12, loads),
    (4, step("reload", keys=some_keys, actions=actions, wrong=rarely(wrongs))),
    (2, step("load_at_once", uploads=some_files, starts=rarely(inputs))),
    (2, step("sweep", starts=rarely(inputs), actions=actions)),
    (2, step("copy", source=keys, to=keys)),
    (2, step("put_back", which=st.integers(0, 30))),
    (1, step("delete", key=keys)),
    (2, step("tell_again", which=st.integers(0, 30), times=st.integers(1, 2))),
    (3, step("undo", which=numbers, wrong=rarely(wrongs), dry=st.booleans())),
    (1, step("undo_at_last", which=numbers)),
    (1, step("redrive", which=numbers)),
    (1, step("settle")),
    (1 if LONG else 0, step("reset")),
)


class RandomContracts(RuleBasedStateMachine):
    isolation: Isolation = "snapshot"
    story: Story | None = None

    @initialize(parameters=st.sampled_from(PARAMETERS))
    def begin(self, parameters: dict[str, str]) -> None:
        from tests.stateful import worlds

        self.entered = ExitStack()
        place = worlds._folder() / f"contracts-{next(worlds._places)}"
        world = self.entered.enter_context(
            World(
                place, tree=tree(), isolation=self.isolation, parameters=parameters, memory=begun()
            )
        )
        self.entered.enter_context(statements_kept_by_its_clock(world))
        self.story = OfOrders(world, note, event, OfContracts(), BEGUN)

    @rule(step=STEPS_OF_A_STORY)
    def then(self, step: Do) -> None:
        getattr(self.story, step.what)(**dict(step.given))

    def teardown(self) -> None:
        if self.story:
            with self.entered:
                self.story.settle()


class RandomContractsSerializable(RandomContracts):
    isolation = "serializable"


TestSnapshot = RandomContracts.TestCase
TestSnapshot.settings = SETTINGS
TestSerializable = RandomContractsSerializable.TestCase
TestSerializable.settings = SETTINGS
