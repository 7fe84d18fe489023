"""Every call of a recorded load goes wrong in every way, every statement, every state: the tables and the ledger come
out right all the same, by what AWS and the sweep do by themselves.

The cases are made from recordings (recordings.py, cases.py), so a call that is added to the product is in them by
itself. A selection of them runs by default, all of them with FAULTS=all in the environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest

from fakeshift import Isolation
from local.states.interpreter import Stopped
from tests.faults.cases import (
    ALL,
    MAIN,
    CallFault,
    StatementFault,
    Stop,
    every_call,
    every_state,
    every_statement,
    isolation,
    selected,
    storms,
)
from tests.world.boundary import LASTING, SERVICE_KINDS, Call, Place
from tests.world.executions import Execution
from tests.world.recordings import GONE, SCENARIOS, Scenario, new_world, record, recorded
from tests.world.simulator import Status, World

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


@pytest.mark.parametrize("name", SCENARIOS if ALL else MAIN[:1])
def test_it_goes_the_same_way_each_time(name: str) -> None:
    assert set(places(record(name).calls)) == set(places(recorded()[name].calls))


@pytest.mark.parametrize("case", selected(every_call()), ids=str)
def test_a_call_goes_wrong(case: CallFault) -> None:
    scenario = SCENARIOS[case.scenario]
    with world_of(scenario, isolation(case)) as world:
        fault = world.boundary.arm(case.place, case.kind)
        scenario.act(world)
        assert fault.struck, f"the scenario made no call {case.place} this time"
        struck = fault.struck[0]
        if (
            case.kind in ("blip", "lost", *LASTING)
            and struck.attempts
            and not samples(world, struck)
        ):
            assert struck.attempts > 1, "the client has not tried again"
        if case.kind == "refused":
            says_what_is_refused(world, case.place)
        if case.kind == "paused":
            world.sweep()
            world.work()
            says_that_it_is_paused(world)
        world.boundary.lift()
        # Who may not ask for an object does not know that it is gone, and says of it what COPY says; who is refused
        # only later may have seen it before.
        unseen = case.kind == "refused" and case.place.operation == "s3.HeadObject"
        try:
            comes_right(world, scenario)
        except AssertionError:
            if not unseen:
                raise
            comes_right(world, scenario, {GONE: "rejected"})


def samples(world: World, call: Call) -> bool:
    """Whether the call reads a data file beside its COPY: nobody waits for it, and it is not tried again."""
    return call.place.caller == "stage" and f":::{world.stack.data_bucket}/" in call.resource


@pytest.mark.parametrize(("name", "kind", "level"), storms())
def test_every_call_goes_wrong_once(name: str, kind: str, level: Isolation) -> None:
    """In one load: each call of a function's client, and every other one of AWS itself."""
    scenario = SCENARIOS[name]

    def strikes(call: Call) -> bool:
        is_aws_own = call.kinds == tuple(SERVICE_KINDS)
        return kind in call.kinds and (not is_aws_own or call.place.number % 2 == 1)

    with world_of(scenario, level) as world:
        fault = world.boundary.storm(kind, strikes)
        scenario.act(world)
        assert fault.struck
        world.boundary.lift()
        comes_right(world, scenario)


@pytest.mark.parametrize("case", selected(every_statement()), ids=str)
def test_a_statement_goes_wrong(case: StatementFault) -> None:
    scenario = SCENARIOS[case.scenario]
    with world_of(scenario, isolation(case)) as world:
        world.warehouse.faults.armed[case.number] = case.kind
        scenario.act(world)
        assert world.warehouse.faults.struck, f"there was no statement {case.what} this time"
        comes_right(world, scenario)


@pytest.mark.parametrize("case", selected(every_state()), ids=str)
def test_a_person_stops_it(case: Stop) -> None:
    """Statements go on in the warehouse: it is slow, so that there is one whenever one was submitted."""
    scenario = SCENARIOS[case.scenario]
    stopped: list[Execution] = []
    with world_of(scenario, isolation(case)) as world:
        world.warehouse.slow = True
        stop_at_state(world, case.number, stopped)
        scenario.act(world)
        assert stopped, f"there was no state {case.number} this time"
        if case.after == "redriven":
            world.redrive(stopped[0])
        comes_right(world, scenario)


def stop_at_state(world: World, number: int, stopped: list[Execution]) -> None:
    """Stops the execution that enters the n-th state."""
    entered = 0
    enter = world.executions.enter

    def stopping(execution: Execution, state: str) -> None:
        nonlocal entered
        entered += 1
        if entered == number + 1:
            stopped.append(execution)
            raise Stopped
        enter(execution, state)

    world.executions.enter = stopping  # type: ignore[method-assign]


def places(calls: tuple[Call, ...]) -> list[Place]:
    return [call.place for call in calls]


def world_of(scenario: Scenario, level: Isolation) -> AbstractContextManager[World]:
    return new_world(
        isolation=level,
        old=scenario.old,
        contract=scenario.contract,
        parameters=scenario.parameters,
    )


ALREADY = re.compile(r"start the same undo again to continue with the rest")
DENIED = re.compile(r"AccessDenied|not authorized|Forbidden|is denied in the bucket")


def says_what_is_refused(world: World, place: Place) -> None:
    """If an execution failed for it, its cause says that it is denied, and which operation or object. One that failed
    because a file waits has failed for that: what only cleans up may be denied beside it.
    """
    service, _, operation = place.operation.partition(".")
    named = "InvokeFunction" if service == "lambda" else operation
    for execution in world.executions.all:
        if execution.status == "FAILED" and " waits: " not in execution.cause:
            assert DENIED.search(execution.cause), execution.cause
            assert named in execution.cause or "keys: " in execution.cause, execution.cause


def says_that_it_is_paused(world: World) -> None:
    failed = [execution for execution in world.executions.all if execution.status == "FAILED"]
    told = ["Redshift endpoint is not available" in execution.cause for execution in failed]
    assert not told or any(told), [execution.cause for execution in failed]


def comes_right(
    world: World, scenario: Scenario, otherwise: Mapping[str, Status] | None = None
) -> None:
    """All is as expected in the end; ``otherwise``: the status of files with which it is not."""
    world.settle()
    if scenario.by_hand and (failed := last_of_a_person(world)).status != "SUCCEEDED":
        done = nothing_or_all(world, scenario)
        assert failed.cause or failed.status == "ABORTED"
        if done == "partly" and failed.status == "FAILED":
            assert ALREADY.search(failed.cause), failed.cause
        scenario.act(world)
        world.settle()
    expected = scenario.expected()
    there = {key: status for key, status in (otherwise or {}).items() if key in expected.statuses}
    world.check(replace(expected, statuses={**expected.statuses, **there}))


def last_of_a_person(world: World) -> Execution:
    return [e for e in world.executions.all if not e.name.startswith(("s3-", "sweep-"))][-1]


def nothing_or_all(world: World, scenario: Scenario) -> str:
    """What was asked for and failed is done, or nothing of it is, or a part that is whole in itself: which."""
    possible = {"all": scenario.expected, "partly": scenario.partly, "nothing": scenario.before}
    differences: list[str] = []
    for name, expected in possible.items():
        try:
            if expected:
                world.check(expected())
                return name
        except AssertionError as error:
            differences.append(f"not {name}: {error}")
    raise AssertionError("\n".join(differences))
