"""An upload is over when every object is accounted for: not sooner, and not never."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.client import loads, queries
from local.client.clients import Clients
from local.client.loads import LoadsOf
from local.client.stack import Stack
from local.client.target import LOCAL_WAREHOUSE
from local.problem import Problem
from local.show import tables

STACK = Stack("s", "data", "working", "machine", "queue", "dead")


class World:
    """A local AWS that moves on a step each time it is asked how many messages wait."""

    def __init__(self) -> None:
        self.steps: list[Callable[[], None]] = []
        self.messages = {"queue": 0, "dead": 0}
        self.executions: dict[str, dict[str, Any]] = {}
        self.ledger: list[list[tables.Value]] = []
        self.clock = 0.0

    def clients(self) -> Clients:
        states = SimpleNamespace(
            get_paginator=lambda _: SimpleNamespace(paginate=self._list),
            list_executions=lambda stateMachineArn, maxResults: {"executions": []},
            describe_execution=lambda executionArn: self.executions[executionArn],
        )
        sqs = SimpleNamespace(get_queue_attributes=self._attributes)
        target = SimpleNamespace(local=True, look_seconds=0.5, suffix="")
        found = SimpleNamespace(states=states, sqs=sqs, target=target, warehouse=LOCAL_WAREHOUSE)
        return cast(Clients, found)

    def _list(self, stateMachineArn: str) -> list[Any]:
        started = datetime.now(UTC)
        return [
            {"executions": [{"executionArn": arn, "startDate": started} for arn in self.executions]}
        ]

    def _attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        if QueueUrl == "queue" and self.steps:
            self.steps.pop(0)()
        return {"Attributes": {"ApproximateNumberOfMessages": str(self.messages[QueueUrl])}}

    def start(self, arn: str) -> None:
        self.executions[arn] = {"name": arn, "status": "RUNNING"}

    def end(self, arn: str, **report: Any) -> None:
        self.executions[arn] = {"name": arn, "status": "SUCCEEDED", "output": json.dumps(report)}

    def fail(self, arn: str, cause: str) -> None:
        self.executions[arn] = {"name": arn, "status": "FAILED", "error": "E", "cause": cause}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()

    def sleep(seconds: float) -> None:
        made.clock += seconds

    def run(clients: Clients, sql: str) -> tables.Result:
        assert "bucket = 'data'" in sql
        return tables.Result(["key", "etag"], list(made.ledger), has_rows=True)

    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr("time.monotonic", lambda: made.clock)
    monkeypatch.setattr(queries, "run", run)
    return made


def test_waits_through_the_gap_between_upload_and_execution(world: World) -> None:
    def deliver() -> None:
        world.messages["queue"] = 1

    def trigger() -> None:
        world.messages["queue"] = 0
        world.start("load-1")

    def done() -> None:
        world.ledger.append(["log_data/a.json", "e1"])
        world.end("load-1", status="loaded")

    nothing = [lambda: None] * 5
    world.steps = [*nothing, deliver, *nothing, trigger, *nothing, done]
    reports = LoadsOf(world.clients(), STACK).wait({"log_data/a.json": "e1"})
    assert [report.status for report in reports] == ["loaded"]


def test_executions_from_before_the_upload_are_not_told(world: World) -> None:
    world.end("old", status="loaded")
    watch = LoadsOf(world.clients(), STACK)
    world.ledger.append(["log_data/a.json", "e1"])
    assert watch.wait({"log_data/a.json": "e1"}) == []


def test_objects_that_start_nothing_are_not_waited_for(world: World) -> None:
    assert LoadsOf(world.clients(), STACK).wait({"log_data/readme.txt": "e1"}) == []


def test_the_etag_counts_not_only_the_key(world: World) -> None:
    world.ledger.append(["log_data/a.json", "the version before"])
    with pytest.raises(Problem, match=r"1 of the uploaded files were not loaded.*log_data/a\.json"):
        LoadsOf(world.clients(), STACK).wait({"log_data/a.json": "e2"})


def test_a_failed_load_ends_the_wait_and_is_told(world: World) -> None:
    watch = LoadsOf(world.clients(), STACK)
    world.fail("load-1", '{"cause": "check failed"}')
    reports = watch.wait({"log_data/a.json": "e1"})
    assert [report.cause for report in reports] == ["check failed"]


def test_lost_objects_end_in_a_problem_with_the_dead_letters(world: World) -> None:
    watch = LoadsOf(world.clients(), STACK)
    world.messages["dead"] = 2
    with pytest.raises(Problem, match=r"nothing is running.*2 new dead letters"):
        watch.wait({f"log_data/{n}.json": "e" for n in range(30)})
    assert loads.SETTLE_SECONDS < world.clock < 2 * loads.SETTLE_SECONDS


def test_messages_that_never_move_end_in_a_problem(world: World) -> None:
    watch = LoadsOf(world.clients(), STACK)
    world.messages["queue"] = 3
    with pytest.raises(Problem, match="Nothing has happened for 900 s: 3 messages"):
        watch.wait({"log_data/a.json": "e"})


def test_without_a_schema_nothing_is_loaded_yet(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(clients: Clients, sql: str) -> tables.Result:
        raise queries.SqlError("schema does not exist")

    watch = LoadsOf(world.clients(), STACK)
    monkeypatch.setattr(queries, "run", refuse)
    with pytest.raises(Problem, match="were not loaded"):
        watch.wait({"log_data/a.json": "e"})
