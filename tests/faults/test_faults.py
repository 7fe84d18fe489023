"""Every call of a recorded load goes wrong in every way, every statement, every state: the tables and the ledger come
out right all the same, by what AWS and the sweep do by themselves.

The cases are made from recordings (recordings.py), so a call that is added to the product is in them by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from tests.faults.boundary import Place
from tests.faults.executions import Execution
from tests.faults.recordings import SCENARIOS, Scenario, new_world, recorded
from tests.faults.warehouse import SQL_KINDS
from tests.faults.world import World
from tests.statemachine.interpreter import Stopped


def every_call() -> Iterator[tuple[str, Place, str]]:
    for name in SCENARIOS:
        for call in recorded(name).calls:
            for kind in call.kinds:
                yield name, call.place, kind


def every_statement() -> Iterator[tuple[str, int, str, str]]:
    for name in SCENARIOS:
        for ran in recorded(name).statements:
            for kind in SQL_KINDS:
                if kind != "hangs" or not ran.sql.startswith("LOCK"):
                    yield name, ran.number, ran.what, kind


def every_state() -> Iterator[tuple[str, int, str]]:
    """(scenario, place among the states that are entered, name)"""
    for name in SCENARIOS:
        for number, (_, state) in enumerate(recorded(name).states):
            yield name, number, state


def words(text: str) -> str:
    return text.replace(" ", "_").replace("?", "").lower()


@pytest.mark.parametrize(
    ("name", "place", "kind"),
    [
        pytest.param(name, place, kind, id=words(f"{name}-{place}-{kind}"))
        for name, place, kind in every_call()
    ],
)
def test_a_call_goes_wrong(name: str, place: Place, kind: str) -> None:
    scenario = SCENARIOS[name]
    with world_of(scenario) as world:
        fault = world.boundary.arm(place, kind)
        scenario.act(world)
        assert fault.struck, f"the scenario made no call {place} this time"
        if kind == "refused":
            says_what_is_refused(world, place)
            world.boundary.lift()
        comes_right(world, scenario)


@pytest.mark.parametrize(
    ("name", "number", "kind"),
    [
        pytest.param(name, number, kind, id=words(f"{name}-{what}-{kind}"))
        for name, number, what, kind in every_statement()
    ],
)
def test_a_statement_goes_wrong(name: str, number: int, kind: str) -> None:
    scenario = SCENARIOS[name]
    with world_of(scenario) as world:
        world.warehouse.faults.armed[number] = kind
        scenario.act(world)
        assert world.warehouse.faults.struck, f"there was no statement {number} this time"
        comes_right(world, scenario)


@pytest.mark.parametrize("after", ["swept", "redriven"])
@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param(name, number, id=words(f"{name}-{number}-{state}"))
        for name, number, state in every_state()
    ],
)
def test_a_person_stops_it(name: str, number: int, after: str) -> None:
    """Statements go on in the warehouse: it is slow, so that there is one whenever one was submitted."""
    scenario = SCENARIOS[name]
    stopped: list[Execution] = []
    with world_of(scenario) as world:
        world.warehouse.slow = True
        stop_at_state(world, number, stopped)
        scenario.act(world)
        assert stopped, f"there was no state {number} this time"
        if after == "redriven":
            world.redrive(stopped[0])
        comes_right(world, scenario)


def stop_at_state(world: World, number: int, stopped: list[Execution]) -> None:
    """Stops the execution that enters the n-th state."""
    entered = 0
    others = world.executions.at_state

    def at_state(execution: Execution, state: str) -> None:
        nonlocal entered
        entered += 1
        if entered == number + 1:
            stopped.append(execution)
            raise Stopped
        others(execution, state)

    world.executions.at_state = at_state


def world_of(scenario: Scenario) -> AbstractContextManager[World]:
    return new_world(old=scenario.old, parameters=scenario.parameters)


def says_what_is_refused(world: World, place: Place) -> None:
    """If an execution failed for it, its cause names the operation and that it is denied."""
    for execution in world.executions.all:
        if execution.status == "FAILED":
            assert "AccessDenied" in execution.cause or "not authorized" in execution.cause
            service, _, operation = place.operation.partition(".")
            named = "InvokeFunction" if service == "lambda" else operation
            assert named in execution.cause, execution.cause


def comes_right(world: World, scenario: Scenario) -> None:
    world.settle()
    if scenario.by_hand and (failed := last_of_a_person(world)).status != "SUCCEEDED":
        nothing_or_all(world, scenario)
        assert failed.cause or failed.status == "ABORTED"
        scenario.act(world)
        world.settle()
    world.check(scenario.expected())


def last_of_a_person(world: World) -> Execution:
    return [e for e in world.executions.all if not e.name.startswith(("s3-", "sweep-"))][-1]


def nothing_or_all(world: World, scenario: Scenario) -> None:
    """What was asked for and failed is done, or nothing of it is."""
    try:
        world.check(scenario.expected())
    except AssertionError:
        world.check(scenario.before())
