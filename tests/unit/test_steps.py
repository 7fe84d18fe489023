"""Waiting for a statement over several calls: submit, look, limit, cancel."""

from typing import Any

import pytest
from loader.dataapi import DataApi, Statement
from loader.settings import settings
from loader.state import Pending
from loader.steps import (
    LONGEST_PAUSE,
    LONGEST_WAIT,
    LOST,
    PATIENCE,
    advance,
    pause,
    polls,
    took_too_long,
)

from tests.unit.fakes import Clock, FakeDataApi, Reply

LIMIT = 600  # STATEMENT_TIMEOUT_SECONDS of the tests' environment


class Waiting:
    """A step that is called again and again with what it said, as the state machine does."""

    def __init__(self, behind_lock: bool = False) -> None:
        self.api = DataApi(settings())
        self.behind_lock = behind_lock
        self.pending: Pending | None = None

    def call(self) -> Statement:
        statement, self.pending = advance(
            self.api, self.pending, self._submit, behind_lock=self.behind_lock
        )
        return statement

    def _submit(self) -> Statement:
        return self.api.submit(
            ["LOCK s.publish_lock", "SELECT 1"], token="t", name="n", wait=settings().wait_seconds
        )


def test_pauses_grow(clock: Clock) -> None:
    began, paused = clock.now, []
    for attempt in range(8):
        before = clock.now
        pause(attempt)
        paused.append(clock.now - before)
    assert paused == [1, 1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE]
    assert clock.now - began < 120


@pytest.mark.parametrize(
    ("seconds", "times"), [(0, [0]), (3, [0, 1, 3]), (60, [0, 1, 3, 7, 15, 31, 60])]
)
def test_asking_begins_at_once_and_ends_in_time(
    clock: Clock, seconds: int, times: list[int]
) -> None:
    began = clock.now
    assert [(number, clock.now - began) for number in polls(seconds)] == list(enumerate(times))


def test_asking_counts_what_a_look_takes(clock: Clock) -> None:
    """Reading a system view took up to 13 seconds."""
    began, looks = clock.now, 0
    for _ in polls(60):
        clock.now += 13
        looks += 1
    assert looks == 5
    assert clock.now - began <= 60 + 13


def test_a_statement_that_ends_at_once_is_submitted_and_no_more(data_api: FakeDataApi) -> None:
    assert Waiting().call().finished
    assert (len(data_api.submits), len(data_api.looks)) == (1, 0)
    assert data_api.submits[0]["WaitTimeSeconds"] == 20


def test_a_statement_that_runs_is_looked_at_until_it_ends(data_api: FakeDataApi) -> None:
    data_api.replies = [Reply(running=3)]
    step = Waiting()
    assert [step.call().status for _ in range(4)] == ["STARTED"] * 3 + ["FINISHED"]
    assert len(data_api.submits) == 1
    assert [look["WaitTimeSeconds"] for look in data_api.looks] == [20, 20, 20]
    assert data_api.cancelled == []


@pytest.fixture
def waits(data_api: FakeDataApi, clock: Clock) -> Clock:
    """The Data API waits as long as it is asked to."""
    data_api.clock = clock
    return clock


def test_a_call_waits_as_long_as_it_may(data_api: FakeDataApi, waits: Clock) -> None:
    """Each call is seven events of an execution's 25,000."""
    data_api.replies = [Reply(running=99)]
    step = Waiting()
    step.call()
    for _ in range(2):
        begun = waits.now
        assert step.call().running
        assert PATIENCE <= waits.now - begun <= PATIENCE + settings().wait_seconds
    assert len(data_api.submits) == 1
    assert {look["WaitTimeSeconds"] for look in data_api.looks} == {20}


@pytest.mark.parametrize("behind_lock", [False, True])
def test_a_call_ends_when_its_statement_does(
    data_api: FakeDataApi, waits: Clock, behind_lock: bool
) -> None:
    data_api.replies = [Reply(running=4)]
    step = Waiting(behind_lock)
    step.call()
    begun = waits.now
    assert step.call().finished
    assert waits.now - begun == 60
    assert len(data_api.looks) == 4


def test_a_data_api_that_does_not_wait_is_not_asked_in_a_loop(
    data_api: FakeDataApi, clock: Clock
) -> None:
    """It answers at once when too many wait for the statement; nor is it the state machine that asks in a loop."""
    data_api.replies = [Reply(running=99)]
    step = Waiting()
    step.call()
    slept = []
    for _ in range(10):
        begun = clock.now
        assert step.call().running
        slept.append(clock.now - begun)
    assert len(data_api.looks) == 10
    assert slept == [1, 2, 4, 8, 16, 32, 64, 128, PATIENCE, PATIENCE]


def test_the_limit_passes_while_it_waits(data_api: FakeDataApi, waits: Clock) -> None:
    data_api.replies = [Reply(running=99)]
    step = Waiting()
    begun = waits.now
    while not data_api.cancelled:
        assert step.call().running
    assert LIMIT < waits.now - begun <= LIMIT + settings().wait_seconds
    assert step.call().status == "ABORTED"
    assert len(data_api.cancelled) == 1
    assert "took over 600 seconds" in took_too_long(step.pending)


def test_a_statement_that_was_cancelled_is_waited_for_as_patiently(
    data_api: FakeDataApi, waits: Clock
) -> None:
    """To roll a long COPY back may take as long as it ran."""
    reply = Reply(running=99)
    data_api.replies = [reply]
    step = Waiting()
    while not data_api.cancelled:
        step.call()
    reply.running, reply.status = 99, "STARTED"  # it has not ended yet
    begun = waits.now
    assert step.call().running
    assert waits.now - begun >= PATIENCE
    assert len(data_api.cancelled) == 1


def test_the_limit_counts_from_when_the_lock_was_had(data_api: FakeDataApi, waits: Clock) -> None:
    reply = Reply(running=999)
    data_api.replies = [reply]
    step = Waiting(behind_lock=True)
    begun = waits.now
    for _ in range(10):
        assert step.call().running
    assert waits.now - begun > 2 * LIMIT
    assert data_api.cancelled == []
    reply.done = 1  # the LOCK has ended
    begun = waits.now
    while not data_api.cancelled:
        assert step.call().running
    assert LIMIT <= waits.now - begun <= LIMIT + settings().wait_seconds


def test_what_the_next_call_needs_is_plain_data(data_api: FakeDataApi, clock: Clock) -> None:
    data_api.replies = [Reply(running=3)]
    step = Waiting()
    step.call()
    assert step.pending == {"id": "00000001-0000-4000-8000-000000000001", "since": clock.now}


def test_a_statement_that_is_not_known_any_more_is_lost(data_api: FakeDataApi) -> None:
    data_api.replies = [Reply(running=1, lost=True)]
    step = Waiting()
    assert step.call().running
    assert step.call() is LOST
    assert took_too_long(step.pending) == took_too_long(None) == ""
    assert not LOST.running
    assert not LOST.finished


@pytest.mark.parametrize(
    ("reply", "end"),
    [(Reply(running=9), "ABORTED"), (Reply(running=9, ends_anyway=True), "FINISHED")],
)
def test_past_the_limit_it_is_cancelled_once_and_its_end_awaited(
    data_api: FakeDataApi, clock: Clock, reply: Reply, end: str
) -> None:
    data_api.replies = [reply]
    step = Waiting()
    step.call()
    clock.now += LIMIT
    assert step.call().running
    assert data_api.cancelled == []
    clock.now += 1
    assert step.call().running
    assert len(data_api.cancelled) == 1
    assert step.call().status == end
    assert len(data_api.cancelled) == 1
    assert "took over 600 seconds" in took_too_long(step.pending)


def test_time_behind_the_lock_does_not_count(data_api: FakeDataApi, clock: Clock) -> None:
    reply = Reply(running=99)
    data_api.replies = [reply]
    step = Waiting(behind_lock=True)
    for _ in range(3):
        step.call()
        clock.now += LIMIT + 1
    assert data_api.cancelled == []
    step.call()
    reply.done = 1  # the LOCK has ended
    assert step.pending
    clock.now = step.pending["since"] + LIMIT
    step.call()
    assert data_api.cancelled == []
    clock.now += 1
    step.call()
    assert len(data_api.cancelled) == 1


def test_a_statement_that_ended_before_its_cancel_is_no_error(
    data_api: FakeDataApi, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_api.replies = [Reply(running=2)]
    step = Waiting()
    step.call()
    clock.now += LIMIT + 1
    assert step.call().running
    assert step.call().finished


@pytest.mark.parametrize("behind_lock", [False, True])
def test_a_failed_statement_comes_back_as_it_is(data_api: FakeDataApi, behind_lock: bool) -> None:
    reply: dict[str, Any] = {"status": "FAILED", "error": "no", "failed": 1, "running": 1}
    data_api.replies = [Reply(**reply)]
    step = Waiting(behind_lock)
    step.call()
    statement = step.call()
    assert statement.status == "FAILED"
    assert statement.failed_part is not None
    assert statement.failed_part.error == "no"


def test_the_lock_is_not_waited_for_for_ever(data_api: FakeDataApi, waits: Clock) -> None:
    """Who holds it longer is stuck, and holds up every load."""
    data_api.replies = [Reply(running=9999)]
    step = Waiting(behind_lock=True)
    begun = waits.now
    while not data_api.cancelled:
        assert step.call().running
    assert LONGEST_WAIT < waits.now - begun <= LONGEST_WAIT + LIMIT + PATIENCE
    while step.call().running:
        pass
    assert len(data_api.cancelled) == 1
    why = took_too_long(step.pending)
    assert "waited 6 hours for the lock on sparkify_loader.publish_lock" in why
    assert "svv_transactions" in why
