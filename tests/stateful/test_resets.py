"""A reset while loads run: nothing is published into tables that go, and all files are loaded again, once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from fakeshift import Fault
from tests.stateful.worlds import FIRST, new_world
from tests.world import oracle
from tests.world.executions import Execution
from tests.world.files import Event, File
from tests.world.simulator import World

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

PLAYS = File("log_data/more.json", (Event(user=4, title=None), Event(user=5, item=3)))


def check(world: World, *files: File) -> None:
    """The tables are those of these files, each loaded once."""
    there = {file.key: file.body for file in files}
    assert oracle.diff(oracle.tables(there), world.warehouse.star()) == ""
    _, every = world.warehouse.ledger()
    assert sorted(key for key, _, status, _ in every if status == "loaded") == sorted(there)


def once_at(world: World, state: str, act: Callable[[], None]) -> None:
    """Does something when an execution first comes to the state."""

    def at(_execution: Execution, name: str) -> None:
        if name == state:
            world.executions.at_state = lambda _execution, _state: None
            act()

    world.executions.at_state = at


@pytest.mark.parametrize("made", [True, False], ids=["tables made", "no tables made"])
@pytest.mark.parametrize("state", ["Stage", "Publish"])
def test_a_load_that_a_reset_comes_before_publishes_into_the_new_tables(
    state: str, made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has planned and perhaps staged before. The reset may have died before it made the datasets' tables."""
    with new_world() as world:

        def full(sql: str) -> Fault | None:
            refused = "CREATE TABLE IF NOT EXISTS sparkify." in sql
            return Fault("fail", sql=".", message="disk quota") if refused else None

        def reset() -> None:
            if not made:
                monkeypatch.setattr(world.warehouse.faults, "of_statement", full)
            execution = world.start({"reset": True})
            world.executions.run(execution)
            monkeypatch.undo()
            assert execution.report["status"] == "reset"
            assert ("songplays" in world.warehouse.tables()) is made

        once_at(world, state, reset)
        world.upload(PLAYS.key, PLAYS.body)
        world.work()
        assert {e.status for e in world.executions.all} == {"SUCCEEDED"}
        check(world, PLAYS)
        world.settle()
        check(world, PLAYS, *FIRST)


def test_a_publish_that_waits_for_the_lock_of_a_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reset has dropped all and not committed: the publish goes on behind it, with an empty ledger."""
    with new_world() as world:
        faults = world.warehouse.faults
        held, go_on = threading.Event(), threading.Event()

        def hold(sql: str) -> None:
            if sql.startswith("CREATE TABLE sparkify.schema_version"):
                held.set()
                go_on.wait(20)
            elif sql.startswith("LOCK") and held.is_set():
                go_on.set()

        monkeypatch.setattr(faults, "of_statement", hold)
        resets = world.start({"reset": True})
        running: list[threading.Thread] = []

        def reset() -> None:
            running.append(
                threading.Thread(target=lambda: world.executions.run(resets, parallel=True))
            )
            running[0].start()
            assert held.wait(20)

        once_at(world, "Publish", reset)
        world.upload(PLAYS.key, PLAYS.body)
        world.work()
        running[0].join(30)
        assert go_on.is_set()  # the publish came to its LOCK while the reset had not committed
        assert {e.status for e in world.executions.all} == {"SUCCEEDED"}
        monkeypatch.undo()
        check(world, PLAYS)
        world.settle()
        check(world, PLAYS, *FIRST)
