"""What is over the bound of loads at once waits, is loaded together, and is lost by nobody."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import finish
import pytest
import sweep
import trigger
from loader import event_loads
from loader.event_loads import waiting_lists
from loader.keys import WAITING
from loader.store import DataFile, Store
from moto.backends import get_backend

from tests.unit.fakes import Context, StateMachine
from tests.unit.test_trigger import body

LONG_AGO = "2018-11-12T00:00:00Z"
LOG, OTHER, SONG = "log_data/1.json", "log_data/2.json", "song_data/A.json"


class Queue:
    """The trigger's own queue, as it sends to it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.broken = False

    def send_message(self, **request: Any) -> None:
        if self.broken:
            raise OSError("the queue does not answer")
        self.sent.append(request)


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    found = Queue()
    monkeypatch.setattr(trigger, "sqs", lambda: found)
    return found


@pytest.fixture(autouse=True)
def bound(configure: Callable[..., None]) -> None:
    configure(MAX_LOADS_AT_ONCE="2")


def send(*bodies: Any) -> list[str]:
    """The trigger's answer to a window of messages m1, m2, …: those that failed."""
    records = [
        {"messageId": f"m{n}", "body": item if isinstance(item, str) else json.dumps(item)}
        for n, item in enumerate(bodies, 1)
    ]
    answer = trigger.handler({"Records": records}, Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def full(store: Store, machine: StateMachine, *datasets: str, loads: int = 2) -> list[str]:
    """As many loads of the datasets' files run as may; their names."""
    names = []
    for number in range(loads):
        name = f"s3-running{number}"
        rows = [
            DataFile("data", f"{dataset}/r{number}.json", "e", 1, LONG_AGO).as_dict()
            for dataset in datasets or ("log_data", "song_data")
        ]
        store.put_lines(f"events/{name}.json.gz", rows)
        machine.start(name)
        names.append(name)
    return names


def started(store: Store, machine: StateMachine) -> list[list[tuple[str, str]]]:
    """Keys and ETags of each execution that was started, but for those of ``full``."""
    return [
        [(row["key"], row["etag"]) for row in store.get_lines(store.key_of(given["objects"]))]
        for name, given in machine.executions.items()
        if name.startswith("s3-") and "running" not in name
    ]


def look_again() -> list[str]:
    return send(trigger.LOOK_AGAIN)


def finished(execution: str) -> None:
    """The last step of an execution."""
    finish.start_waiting(f"arn:aws:states:us-west-2:1:execution:load:{execution}")


def test_under_the_bound_nothing_waits(store: Store, machine: StateMachine, queue: Queue) -> None:
    full(store, machine, loads=1)
    assert send(body(LOG)) == []
    assert started(store, machine) == [[(LOG, "e1")]]
    assert (waiting_lists(store), queue.sent) == ([], [])


def test_at_the_bound_events_wait_and_their_messages_are_done_with(
    store: Store, machine: StateMachine, queue: Queue, measured: Callable[[], dict[str, float]]
) -> None:
    full(store, machine)
    assert send(body(LOG), body(SONG), body(OTHER)) == []
    assert started(store, machine) == []
    assert [(each.dataset, each.files) for each in waiting_lists(store)] == [
        ("log_data", 2),
        ("song_data", 1),
    ]
    [message] = queue.sent  # one, however many messages came
    assert json.loads(message["MessageBody"]) == trigger.LOOK_AGAIN
    assert message["QueueUrl"] == trigger.QUEUE_URL
    found = measured()
    assert (found["LoadsDeferred"], found["FilesWaiting"]) == (1, 3)


@pytest.mark.parametrize("name", ["4c8f2a1e-0000-4000-8000-000000000001", "sweep-1", "backfill"])
def test_loads_that_no_event_started_do_not_count(
    store: Store, machine: StateMachine, queue: Queue, name: str
) -> None:
    full(store, machine, loads=1)
    for number in range(5):
        machine.start(f"{name}-{number}")
    send(body(LOG))
    assert started(store, machine) == [[(LOG, "e1")]]


def test_the_same_events_wait_once(store: Store, machine: StateMachine, queue: Queue) -> None:
    """SQS delivers a message again, or the trigger has died when the list was written."""
    full(store, machine)
    one, two = body(LOG), body(OTHER)
    for batch in ([one, two], [two, one], [one, two, one]):
        send(*batch)
    assert [each.files for each in waiting_lists(store)] == [2]


def test_a_load_that_ends_starts_all_that_waits_as_one(
    store: Store, machine: StateMachine, queue: Queue
) -> None:
    first, _ = full(store, machine)
    send(body(LOG), body(SONG))
    send(body(OTHER))
    finished(first)  # it still runs, as Step Functions has it
    assert started(store, machine) == [[(LOG, "e1"), (OTHER, "e1"), (SONG, "e1")]]
    assert waiting_lists(store) == []


def test_a_load_that_ends_over_the_bound_starts_none(
    store: Store, machine: StateMachine, queue: Queue
) -> None:
    """Else an overshoot would last for as long as the pressure does."""
    names = full(store, machine, loads=3)
    send(body(LOG))
    finished(names[0])
    assert started(store, machine) == []
    machine.end(names[0], "SUCCEEDED")
    finished(names[1])
    assert started(store, machine) == [[(LOG, "e1")]]


def test_a_load_that_ends_asks_for_no_executions_when_nothing_waits(
    store: Store, machine: StateMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finish, "stepfunctions", lambda: pytest.fail("it asked"))
    finished("s3-any")


def test_a_load_that_ends_in_a_paused_stack_starts_nothing(
    store: Store, machine: StateMachine, queue: Queue, configure: Callable[..., None]
) -> None:
    first, _ = full(store, machine)
    send(body(LOG))
    configure(PAUSED="true")
    finished(first)
    assert started(store, machine) == []
    assert len(waiting_lists(store)) == 1


def test_a_load_does_not_fail_because_what_waits_cannot_start(
    store: Store, machine: StateMachine, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(store, machine)
    send(body(LOG))
    monkeypatch.setattr(finish, "STATE_MACHINE", finish.STATE_MACHINE + "-of-nobody")
    finished("s3-running0")
    assert len(waiting_lists(store)) == 1


def test_the_message_to_look_again_starts_what_waits_or_comes_again(
    store: Store, machine: StateMachine, queue: Queue
) -> None:
    first, _ = full(store, machine)
    send(body(LOG))
    for _ in range(20):
        assert look_again() == []  # never a failure, however often: no dead letter
    assert len(queue.sent) == 21
    assert started(store, machine) == []
    machine.end(first, "ABORTED")  # and its last step never ran
    assert look_again() == []
    assert started(store, machine) == [[(LOG, "e1")]]
    assert len(queue.sent) == 21
    look_again()  # nothing waits
    assert len(queue.sent) == 21


@pytest.mark.parametrize(
    "bad",
    [
        {**trigger.LOOK_AGAIN, "more": 1},
        {"s3-redshift-loader": "look"},
        [trigger.LOOK_AGAIN],
        "look at what waits",
    ],
)
def test_a_message_to_look_again_of_another_form_is_a_bad_message(
    machine: StateMachine, queue: Queue, bad: Any
) -> None:
    assert send(bad) == ["m1"]
    assert queue.sent == []


def test_a_message_that_cannot_be_sent_fails_nothing(
    store: Store, machine: StateMachine, queue: Queue
) -> None:
    """The load that ends looks, too."""
    first, _ = full(store, machine)
    queue.broken = True
    assert send(body(LOG)) == []
    finished(first)
    assert started(store, machine) == [[(LOG, "e1")]]


def test_new_events_take_along_what_waits(
    store: Store, machine: StateMachine, queue: Queue
) -> None:
    first, _ = full(store, machine)
    send(body(LOG))
    machine.end(first, "FAILED")
    send(body(OTHER))
    assert started(store, machine) == [[(LOG, "e1"), (OTHER, "e1")]]
    assert waiting_lists(store) == []


@pytest.mark.parametrize("newest_first", [True, False])
def test_of_two_versions_that_wait_the_newest_is_loaded(
    store: Store, machine: StateMachine, queue: Queue, newest_first: bool
) -> None:
    first, _ = full(store, machine)
    versions = [body(LOG, "old", "0055"), body(LOG, "new", "0055AE")]
    for version in reversed(versions) if newest_first else versions:
        send(version)
    finished(first)
    assert started(store, machine) == [[(LOG, "new")]]
    assert waiting_lists(store) == []


# -- two who take, and one who dies ----------------------------------------------------------


def test_two_who_take_the_same_lists_start_one_load(
    store: Store, machine: StateMachine, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = full(store, machine)
    send(body(LOG))
    send(body(SONG))
    delete = Store.delete

    def both(self: Store, key: str) -> None:
        monkeypatch.setattr(Store, "delete", delete)
        finished(second)  # it sees the lists that the first is about to delete
        delete(self, key)

    monkeypatch.setattr(Store, "delete", both)
    machine.end(second, "SUCCEEDED")  # there is room for both
    finished(first)
    assert started(store, machine) == [[(LOG, "e1"), (SONG, "e1")]]
    assert waiting_lists(store) == []


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED", "FAILED"])
def test_who_dies_before_the_lists_are_deleted_leaves_them_to_the_next(
    store: Store, machine: StateMachine, queue: Queue, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    """Whose start has the same name; what that load has not loaded is the sweep's."""
    first, second = full(store, machine)
    send(body(LOG))
    with monkeypatch.context() as dying:
        dying.setattr(Store, "delete", lambda *_: (_ for _ in ()).throw(OSError("killed")))
        finished(first)
    assert len(waiting_lists(store)) == 1
    machine.end(first, "SUCCEEDED")
    machine.end(next(name for name in machine.executions if "running" not in name), status)
    machine.end(second, "SUCCEEDED")
    look_again()
    assert started(store, machine) == [[(LOG, "e1")]]
    assert waiting_lists(store) == []


def test_a_list_that_is_taken_while_it_is_read_is_nobody_elses(
    store: Store, machine: StateMachine, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = full(store, machine)
    send(body(LOG))
    listed = waiting_lists(store)
    store.delete(listed[0].key)
    monkeypatch.setattr(event_loads, "waiting_lists", lambda _store: listed)
    finished(first)
    assert started(store, machine) == []


# -- fairness, and how much at a time --------------------------------------------------------


def test_one_datasets_pile_does_not_hold_up_another(
    store: Store, machine: StateMachine, queue: Queue
) -> None:
    full(store, machine, "log_data")
    send(body(LOG), body(SONG))
    assert started(store, machine) == [[(SONG, "e1")]]  # over the bound, and only that
    send(body("song_data/B.json"))
    assert len(started(store, machine)) == 1  # the dataset has its load
    assert sorted(each.dataset for each in waiting_lists(store)) == ["log_data", "song_data"]


def test_a_load_whose_list_is_gone_holds_up_no_dataset(
    store: Store, machine: StateMachine, queue: Queue
) -> None:
    machine.start("s3-running-by-a-person")
    machine.start("s3-running1")
    send(body(LOG))
    assert started(store, machine) == [[(LOG, "e1")]]


def test_a_load_takes_as_many_files_as_one_execution_loads_the_oldest_first(
    store: Store, machine: StateMachine, queue: Queue, configure: Callable[..., None]
) -> None:
    configure(BATCH_FILES="2", MAX_BATCHES="2")
    first, second = full(store, machine)
    for window in range(3):
        send(*(body(f"log_data/{window}-{n}.json") for n in range(3 if window else 5)))
    for file in store.list_files("working", WAITING):  # the first window's has the most files
        kept = get_backend("s3")["123456789012"]["aws"].get_object("working", file.key)
        assert kept
        kept.last_modified -= timedelta(days="-5." in file.key)
    found = waiting_lists(store)
    assert [each.files for each in found] == [5, 3, 3]
    finished(first)
    assert [len(files) for files in started(store, machine)] == [5]  # one list at least
    assert waiting_lists(store) == found[1:]
    machine.end(first, "SUCCEEDED")
    finished(second)
    assert [len(files) for files in started(store, machine)] == [5, 3]


def test_files_of_a_dataset_that_is_gone_are_left_alone(
    store: Store, machine: StateMachine, queue: Queue
) -> None:
    first, _ = full(store, machine)
    row = {"bucket": "data", "key": "old/1.json", "etag": "e", "size": 1, "sequencer": "1"}
    store.put_lines(f"{WAITING}old/{'0' * 40}-1.json.gz", [row])
    finished(first)
    assert started(store, machine) == []
    assert waiting_lists(store) == []


@pytest.mark.parametrize(
    "key",
    ["waiting/", "waiting/x", "waiting/a/b/c.json.gz", f"waiting/log_data/{'0' * 40}-x.json.gz"],
)
def test_an_object_that_is_no_list_holds_nothing_up(
    s3: Any, store: Store, machine: StateMachine, queue: Queue, key: str
) -> None:
    s3.put_object(Bucket="working", Key=key, Body=b"")
    send(body(LOG))
    assert started(store, machine) == [[(LOG, "e1")]]
    assert s3.head_object(Bucket="working", Key=key)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no gzip",
        gzip.compress(b"{}\n" * 1000, mtime=0)[:-30],
        gzip.compress(b"no JSON", mtime=0),
        gzip.compress(b'{"key": "log_data/1.json"}', mtime=0),
        gzip.compress(b"7", mtime=0),
        gzip.compress(b"\xff", mtime=0),
    ],
)
def test_a_list_that_cannot_be_read_holds_nothing_up(
    s3: Any, store: Store, machine: StateMachine, queue: Queue, content: bytes
) -> None:
    """Its files are the sweep's."""
    s3.put_object(Bucket="working", Key=f"waiting/log_data/{'0' * 40}-1.json.gz", Body=content)
    send(body(LOG))
    assert started(store, machine) == [[(LOG, "e1")]]
    assert waiting_lists(store) == []


# -- the sweep -------------------------------------------------------------------------------


def put(s3: Any, key: str) -> Any:
    """An object, and the event of it."""
    etag = s3.put_object(Bucket="data", Key=key, Body=b"{}")["ETag"]
    return {**body(key, etag), "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}


def test_the_sweep_starts_what_waits_as_a_load_from_events(
    s3: Any, store: Store, machine: StateMachine, queue: Queue
) -> None:
    """The messages were lost, and the loads ended without their last step."""
    for name in full(store, machine):
        machine.start("a-backfill")
        if not waiting_lists(store):
            send(put(s3, LOG))
        machine.end(name, "ABORTED")
    assert sweep.handler({}, Context()) == {"files": 0}  # the backfill runs
    assert [[key for key, _ in files] for files in started(store, machine)] == [[LOG]]
    machine.end("a-backfill", "SUCCEEDED")
    assert sweep.handler({}, Context()) == {"files": 0}  # they are that load's


def test_what_waits_is_not_the_sweeps(
    s3: Any, store: Store, machine: StateMachine, queue: Queue
) -> None:
    full(store, machine)
    send(put(s3, LOG))
    put(s3, SONG)
    assert sweep.handler({}, Context()) == {"files": 1}
    name, given = list(machine.executions.items())[-1]
    assert name.startswith("sweep-")
    [row] = store.get_lines(store.key_of(given["objects"]))
    assert row["key"] == SONG


@pytest.mark.parametrize(("hours", "files"), [(0, 0), (2, 1)])
def test_what_waits_for_an_hour_although_no_load_runs_is_the_sweeps(
    s3: Any,
    store: Store,
    machine: StateMachine,
    queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
    hours: int,
    files: int,
) -> None:
    """Something keeps its load from being started."""
    names = full(store, machine)
    send(put(s3, LOG))
    for name in names:
        machine.end(name, "SUCCEEDED")
    monkeypatch.setattr(sweep, "start_waiting", lambda: None)
    monkeypatch.setattr(sweep, "WAITS", sweep.WAITS - timedelta(hours=hours))
    assert sweep.handler({}, Context()) == {"files": files}
