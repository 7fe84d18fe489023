"""An upload is over when every object is accounted for: not sooner, and not never."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
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
        self.local = True
        self.listed = 0
        self.asked: list[str] = []

    def clients(self) -> Clients:
        states = SimpleNamespace(
            get_paginator=lambda _: SimpleNamespace(paginate=self._pages),
            list_executions=lambda stateMachineArn, maxResults: self._page(0, maxResults),
            describe_execution=lambda executionArn: self.executions[executionArn],
        )
        sqs = SimpleNamespace(get_queue_attributes=self._attributes)
        target = SimpleNamespace(
            local=self.local, look_seconds=0.5 if self.local else 5.0, suffix=" --stack s"
        )
        parameters = {"BatchWindowSeconds": "300"}
        return cast(
            Clients,
            SimpleNamespace(
                states=states,
                sqs=sqs,
                target=target,
                warehouse=LOCAL_WAREHOUSE,
                parameters=parameters,
            ),
        )

    def _pages(self, stateMachineArn: str) -> Iterator[Any]:
        for start in range(0, max(len(self.executions), 1), 2):
            self.listed += 1
            yield self._page(start, 2)

    def _page(self, start: int, most: int) -> dict[str, Any]:
        """The newest first."""
        numbered = list(enumerate(self.executions))[::-1][start : start + most]
        begin = datetime(2026, 1, 1, tzinfo=UTC)
        return {
            "executions": [
                {"executionArn": arn, "startDate": begin + timedelta(seconds=number)}
                for number, arn in numbered
            ]
        }

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
        made.asked.append(sql)
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


def test_the_executions_of_ninety_days_are_not_listed_at_each_look(world: World) -> None:
    for number in range(40):
        world.end(f"old-{number}", status="loaded")
    watch = LoadsOf(world.clients(), STACK)

    def load() -> None:
        world.end("new", status="loaded")
        world.ledger.append(["log_data/a.json", "e1"])

    world.steps = [load]
    assert [report.execution for report in watch.wait({"log_data/a.json": "e1"})] == ["new"]
    assert world.listed < 8


def test_a_stack_is_given_its_batch_window_and_asked_for_these_keys_only(world: World) -> None:
    world.local = False
    watch = LoadsOf(world.clients(), STACK)
    with pytest.raises(Problem, match=r"log group /aws/lambda/s; loader start --stack s loads"):
        watch.wait({"log_data/it's.json": "e"})
    assert world.clock > 300
    assert all("AND key IN ('log_data/it''s.json')" in sql for sql in world.asked)
    assert len(world.asked) < 120


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
