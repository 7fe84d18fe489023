"""The trigger: which events become an execution, under which name, and what is left in the queue."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import trigger
from loader.event_loads import MAX_NAMES
from loader.store import Store

from tests.unit.fakes import Context, StateMachine

KEY = "log_data/2018/11/2018-11-12-events.json"
AWKWARD = [
    "log_data/two words.json",
    "log_data/it's; DROP TABLE y--.json",
    'log_data/"quoted".json',
    "log_data/100%25 %2F.json",
    "log_data/a+b.json",
    "log_data/Zoë ☃.json.gz",
]


def body(key: Any = KEY, etag: Any = "e1", sequencer: str = "0055", **more: Any) -> dict[str, Any]:
    """An S3 event as EventBridge sends it."""
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": "2026-11-23T20:30:11Z",
        "detail": {
            "bucket": {"name": "data"},
            "object": {"key": key, "size": 7, "etag": etag, "sequencer": sequencer, **more},
            "reason": "PutObject",
        },
    }


def send(*bodies: Any) -> list[str]:
    """The trigger's answer to a batch of messages m1, m2, …: those that failed."""
    records = [
        {"messageId": f"m{n}", "body": item if isinstance(item, str) else json.dumps(item)}
        for n, item in enumerate(bodies, 1)
    ]
    answer = trigger.handler({"Records": records}, Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def listed(store: Store, machine: StateMachine, number: int = -1) -> list[tuple[str, str]]:
    """Keys and ETags of the list that an execution was given."""
    given = list(machine.executions.values())[number]
    assert list(given) == ["objects"]
    return [(row["key"], row["etag"]) for row in store.get_lines(store.key_of(given["objects"]))]


def test_a_window_of_events_is_one_execution(store: Store, machine: StateMachine) -> None:
    song = "song_data/A/B/C/TRABC.json"
    assert send(body(song), body(KEY, '"e2"')) == []
    [name] = machine.executions
    assert name.startswith("s3-")
    assert len(name) <= 80
    assert listed(store, machine) == [(KEY, "e2"), (song, "e1")]


def test_what_a_list_says_of_an_object(store: Store, machine: StateMachine) -> None:
    send(body())
    key = store.key_of(next(iter(machine.executions.values()))["objects"])
    assert key.startswith("events/")
    assert list(store.get_lines(key)) == [
        {"bucket": "data", "key": KEY, "etag": "e1", "size": 7, "modified": "2026-11-23T20:30:11Z"}
    ]


def test_keys_are_taken_as_they_are(store: Store, machine: StateMachine) -> None:
    """EventBridge does not URL-encode a key."""
    assert send(*(body(key) for key in AWKWARD)) == []
    assert [key for key, _ in listed(store, machine)] == sorted(AWKWARD)


@pytest.mark.parametrize(
    ("key", "bucket", "told"),
    [
        ("other/x.json", "data", {}),
        ("log_data/readme.txt", "data", {"UploadsNotTaken": 1}),
        ("log_data/X.JSON", "data", {"UploadsNotTaken": 1}),
        ("log_data/2018/", "data", {}),
        ("LOG_DATA/x.json", "data", {}),
        (KEY, "another-bucket", {}),
        (KEY, "working", {}),
    ],
)
def test_an_object_of_no_dataset_starts_nothing_and_leaves_the_queue(
    machine: StateMachine,
    measured: Callable[[], dict[str, float]],
    caplog: pytest.LogCaptureFixture,
    key: str,
    bucket: str,
    told: dict[str, int],
) -> None:
    """A bucket that others use too may have any number of such objects: only those of a dataset's prefix are told."""
    message = body(key)
    message["detail"]["bucket"]["name"] = bucket
    assert send(message) == []
    assert machine.executions == {}
    assert measured() == told
    assert [vars(record).get("key") for record in caplog.records] == [key] * len(told)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "not JSON",
        "null",
        "[]",
        '"text"',
        {},
        {"detail": None},
        {"detail": {"object": {}}},
        body(None),
        body(7),
        body(etag=None),
        body(etag=5),
        body(size="large"),
        body(size=None),
        {**body(), "time": None},
        {k: v for k, v in body().items() if k != "time"},
        {"Records": [{"eventSource": "aws:s3"}]},
        {"Service": "Amazon S3", "Event": "s3:TestEvent"},
    ],
)
def test_a_message_that_is_no_event_fails_alone(
    store: Store, machine: StateMachine, bad: Any
) -> None:
    assert send(bad, body(), bad) == ["m1", "m3"]
    assert listed(store, machine) == [(KEY, "e1")]


@pytest.mark.parametrize(
    ("events", "etag"),
    [
        ([("old", "0055"), ("new", "0056")], "new"),
        ([("new", "0056"), ("old", "0055")], "new"),
        # Sequencers compare as text after zeros on the right.
        ([("new", "0055AED6"), ("old", "0055")], "new"),
        ([("old", "0055FF"), ("new", "0056")], "new"),
        ([("one", "0055"), ("one", "0055")], "one"),
        ([("one", "0055"), ("one", "00550000")], "one"),
    ],
)
def test_of_two_versions_of_a_key_the_newest_is_loaded(
    store: Store, machine: StateMachine, events: Sequence[tuple[str, str]], etag: str
) -> None:
    assert send(*(body(KEY, tag, sequencer) for tag, sequencer in events)) == []
    assert listed(store, machine) == [(KEY, etag)]


def test_the_same_events_start_one_execution(machine: StateMachine) -> None:
    one, two = body("log_data/1.json"), body("log_data/2.json")
    for batch in ([one, two], [two, one], [one, two, one]):
        assert send(*batch) == []
    assert len(machine.executions) == 1


def test_a_repeated_batch_is_answered_by_its_running_load_and_says_so(
    machine: StateMachine, caplog: pytest.LogCaptureFixture
) -> None:
    """Step Functions answers as the first time, with the time of the first start; no second load is claimed."""
    for _ in range(2):
        assert send(body()) == []
    first, second = (vars(record) for record in caplog.records)
    assert first["message"] == second["message"] == "these events have a load that runs"
    assert first["started"] == second["started"]
    assert len(machine.executions) == 1


@pytest.mark.parametrize(
    "other",
    [
        body("log_data/2.json"),
        body(etag="e2"),
        body(sequencer="0056"),  # the same content put again: the ledger knows it
    ],
)
def test_other_events_start_another(machine: StateMachine, other: Any) -> None:
    send(body())
    send(other)
    assert len(machine.executions) == 2


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED", "PENDING_REDRIVE"])
def test_events_that_have_their_load_start_none(machine: StateMachine, status: str) -> None:
    send(body())
    [name] = machine.executions
    machine.end(name, status)
    assert send(body()) == []
    assert list(machine.executions) == [name]


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_events_whose_load_ended_badly_get_a_new_one(
    store: Store, machine: StateMachine, status: str
) -> None:
    send(body())
    [name] = machine.executions
    machine.end(name, status)
    assert send(body()) == []
    assert list(machine.executions) == [name, f"{name}-2"]
    assert listed(store, machine) == [(KEY, "e1")]
    assert send(body()) == []  # the second one runs
    assert len(machine.executions) == 2


def test_a_load_that_always_fails_is_left_to_the_sweep(machine: StateMachine) -> None:
    for _ in range(10):
        assert send(body()) == []
        for name in machine.executions:
            machine.end(name, "FAILED")
    assert len(machine.executions) == MAX_NAMES


def test_an_error_of_step_functions_returns_the_whole_batch(s3: Any) -> None:
    """Without the state machine nothing was started: the queue must keep the messages."""
    with pytest.raises(trigger.stepfunctions.exceptions.StateMachineDoesNotExist):
        send(body())


def test_a_list_of_thousands_is_passed_by_reference(store: Store, machine: StateMachine) -> None:
    send(*(body(f"log_data/{'x' * 200}{n}.json") for n in range(2000)))
    assert len(json.dumps(machine.executions)) < 1000
    assert len(listed(store, machine)) == 2000
