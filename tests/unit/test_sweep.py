"""The sweep: what it finds newer than its mark, and that it starts nothing without it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sweep
from loader.names import SWEEP_MARK
from loader.request import parse
from loader.store import Store

from tests.unit.fakes import Context, StateMachine

DAY = 24 * 60  # minutes


@pytest.fixture(autouse=True)
def _bucket(s3: Any, machine: StateMachine) -> None:
    for key in ("log_data/a b+%é.json", "song_data/s.json.gz", "log_data/readme.txt", "x/y.json"):
        s3.put_object(Bucket="data", Key=key, Body=b"{}")


def run() -> int:
    files: int = sweep.handler({}, Context())["files"]
    return files


def set_mark(store: Store, minutes: float) -> None:
    """The last clean sweep began so many minutes from now."""
    mark = datetime.now(UTC) + timedelta(minutes=minutes)
    store.put(SWEEP_MARK, {"mark": mark.isoformat(), "load_id": "L"})


def test_without_a_mark_all_files_are_swept(store: Store, machine: StateMachine) -> None:
    before = datetime.now(UTC)
    assert run() == 2
    [(name, given)] = machine.executions.items()
    assert name.startswith("sweep-")
    assert sorted(given) == ["mark", "objects"]
    assert before <= datetime.fromisoformat(given["mark"]) <= datetime.now(UTC)
    rows = list(store.get_lines(store.key_of(given["objects"])))
    assert [row["key"] for row in rows] == ["log_data/a b+%é.json", "song_data/s.json.gz"]
    assert all(row["size"] == 2 and row["bucket"] == "data" for row in rows)


def test_what_it_starts_is_a_request_that_is_compared_with_the_ledger(
    machine: StateMachine,
) -> None:
    run()
    request = parse(next(iter(machine.executions.values())))
    assert request.mode == "load"
    assert request.mark
    assert not request.objects.startswith("s3://working/events/")


@pytest.mark.parametrize(
    ("minutes", "files"),
    [
        (-60, 2),
        (0, 2),  # within the overlap: an upload in parts may take a day
        (DAY - 1, 2),
        (DAY + 1, 0),
        (2 * DAY, 0),
    ],
)
def test_only_what_is_newer_than_the_mark(
    store: Store, machine: StateMachine, minutes: float, files: int
) -> None:
    set_mark(store, minutes)
    assert run() == files
    assert len(machine.executions) == (1 if files else 0)


def test_nothing_newer_writes_nothing(store: Store, machine: StateMachine) -> None:
    set_mark(store, 2 * DAY)
    mark = store.get(SWEEP_MARK)
    assert run() == 0
    assert list(store.keys("")) == [SWEEP_MARK]
    assert store.get(SWEEP_MARK) == mark


def test_the_sweep_does_not_move_its_mark_itself(store: Store) -> None:
    """Only the load does, when it has ended well: a failed one must be swept again."""
    run()
    assert SWEEP_MARK not in list(store.keys(""))


def test_an_empty_bucket(s3: Any, machine: StateMachine) -> None:
    for key in ("log_data/a b+%é.json", "song_data/s.json.gz"):
        s3.delete_object(Bucket="data", Key=key)
    assert run() == 0
    assert machine.executions == {}


def ended_well(store: Store, machine: StateMachine) -> None:
    """The last execution has loaded all, and moved the mark."""
    name, given = list(machine.executions.items())[-1]
    machine.end(name, "SUCCEEDED")
    store.put(SWEEP_MARK, {"mark": given["mark"], "load_id": "L"})


def test_what_was_seen_starts_no_load_again(store: Store, s3: Any, machine: StateMachine) -> None:
    """Although the overlap is a day: else each sweep of the day would load what the first has loaded."""
    assert run() == 2
    [given] = machine.executions.values()
    seen = store.get(f"sweep/seen/{given['mark']}.json")
    assert [key for key, _ in seen] == ["log_data/a b+%é.json", "song_data/s.json.gz"]
    ended_well(store, machine)
    assert run() == 0
    s3.put_object(Bucket="data", Key="song_data/s.json.gz", Body=b"{'other': 1}")
    s3.put_object(Bucket="data", Key="log_data/new.json", Body=b"{}")
    assert run() == 2
    rows = store.get_lines(store.key_of(list(machine.executions.values())[-1]["objects"]))
    assert [row["key"] for row in rows] == ["log_data/new.json", "song_data/s.json.gz"]
    ended_well(store, machine)
    assert run() == 0
    assert len(machine.executions) == 2


def test_what_a_load_that_failed_has_seen_is_swept_again(machine: StateMachine) -> None:
    assert run() == 2
    machine.end(next(iter(machine.executions)), "FAILED")
    assert run() == 2
    assert len(machine.executions) == 2


def test_while_a_load_is_running_nothing_is_swept(machine: StateMachine) -> None:
    assert [run(), run()] == [2, 0]
    assert len(machine.executions) == 1
    machine.end(next(iter(machine.executions)), "TIMED_OUT")
    assert run() == 2


def test_a_file_that_comes_while_the_bucket_is_listed_is_the_next_sweeps(
    store: Store, s3: Any, machine: StateMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not be remembered as seen without having been handed to a load."""
    list_files = Store.list_files

    def listing(self: Store, bucket: str, prefix: str) -> Any:
        yield from list_files(self, bucket, prefix)
        s3.put_object(Bucket="data", Key="log_data/late.json", Body=b"{}")

    monkeypatch.setattr(Store, "list_files", listing)
    assert run() == 2
    ended_well(store, machine)
    assert run() == 1
