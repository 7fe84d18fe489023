"""The sweep: what it finds newer than its mark, and that it starts nothing without it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sweep
from loader.names import SWEEP_MARK
from loader.request import parse
from loader.store import Store

from tests.unit.fakes import Context, StateMachine


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
    assert not request.objects.startswith("s3://work/events/")


@pytest.mark.parametrize(
    ("minutes", "files"),
    [
        (-60, 2),
        (0, 2),  # within the overlap: clocks differ
        (14, 2),
        (16, 0),
        (600, 0),
    ],
)
def test_only_what_is_newer_than_the_mark(
    store: Store, machine: StateMachine, minutes: float, files: int
) -> None:
    set_mark(store, minutes)
    assert run() == files
    assert len(machine.executions) == (1 if files else 0)


def test_nothing_newer_writes_nothing(store: Store, machine: StateMachine) -> None:
    set_mark(store, 60)
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
