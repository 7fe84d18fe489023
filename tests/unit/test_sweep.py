"""The sweep: what it finds newer than its mark, that it starts nothing without it, and what it leaves to others."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sweep
from loader import keys
from loader.datasets import Dataset, datasets
from loader.history import packed, unpacked
from loader.keys import SWEEP_MARK, SWEPT, UNFINISHED, WAITING_SINCE
from loader.overdue import Newest
from loader.request import parse
from loader.store import Store
from moto.stepfunctions.utils import PAGINATION_MODEL

from tests.unit.fakes import Context, StateMachine

OVERLAP = sweep.OVERLAP.total_seconds() / 60  # minutes
LOG, SONG = "log_data/a b+%é.json", "song_data/s.json.gz"


@pytest.fixture(autouse=True)
def _bucket(s3: Any, machine: StateMachine) -> None:
    for key in (LOG, SONG, "log_data/readme.txt", "x/y.json"):
        s3.put_object(Bucket="data", Key=key, Body=b"{}")


def run() -> int:
    files: int = sweep.handler({}, Context())["files"]
    return files


def put_mark(store: Store, stamp: str, **changes: Any) -> None:
    """What a sweep's load writes that has ended well."""
    place = {"warehouse": "local", "database": "dev", "schema": "sparkify", "bucket": "data"}
    ledger = {"made": "2026-11-01 08:00:00.000000", "loads": 7}
    document = {"mark": stamp, "load_id": "L", "place": place, "ledger": ledger, "written": 0.0}
    store.put(SWEEP_MARK, document | changes)


def set_mark(store: Store, minutes: float, seen: Any = None) -> None:
    """The last clean sweep began so many minutes from now; its document is ``seen``, or says that it saw nothing."""
    mark = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    put_mark(store, mark)
    scopes = {name: sweep.scope(dataset) for name, dataset in datasets().items()}
    store.put(f"sweep/seen/{mark}.json", seen or {"datasets": scopes, "files": []})


def test_without_a_mark_all_files_are_swept(store: Store, machine: StateMachine) -> None:
    before = datetime.now(UTC)
    assert run() == 2
    [(name, given)] = machine.executions.items()
    assert name.startswith("sweep-")
    assert sorted(given) == ["ended", "mark", "objects"]
    assert given["ended"] == []
    assert before <= datetime.fromisoformat(given["mark"]) <= datetime.now(UTC)
    rows = list(store.get_lines(store.key_of(given["objects"])))
    assert [row["key"] for row in rows] == [LOG, SONG]
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
        (0, 2),  # within the overlap: an upload in parts may take days
        (OVERLAP - 1, 2),
        (OVERLAP + 1, 0),
        (2 * OVERLAP, 0),
    ],
)
def test_only_what_is_newer_than_the_mark(
    store: Store, machine: StateMachine, minutes: float, files: int
) -> None:
    set_mark(store, minutes)
    assert run() == files
    assert len(machine.executions) == (1 if files else 0)


def test_nothing_newer_writes_nothing(store: Store, machine: StateMachine) -> None:
    set_mark(store, 2 * OVERLAP)
    before = {key: store.get(key) for key in store.keys("")}
    assert run() == 0
    after = {key: store.get(key) for key in store.keys("")}
    assert after.pop(SWEPT)["not_taken"]["files"] == 1
    assert after == before


def test_files_that_no_dataset_takes_are_told_each_time(
    store: Store, s3: Any, machine: StateMachine, measured: Callable[[], dict[str, float]]
) -> None:
    """However old they are. Those under no dataset's prefix are nobody's business, a folder is no file."""
    odd = ["log_data/UPPER.JSON", "log_data/orders.csv", "song_data/part-00000", "song_data/A/"]
    for key in odd:
        s3.put_object(Bucket="data", Key=key, Body=b"x")
    set_mark(store, 2 * OVERLAP)
    run()
    assert measured()["FilesNotTaken"] == 4
    found = store.get(SWEPT)["not_taken"]
    assert found["keys"] == [*odd[:2], "log_data/readme.txt", odd[2]]
    assert found["datasets"] == {"log_data": 3, "song_data": 1}
    for key in found["keys"]:
        s3.delete_object(Bucket="data", Key=key)
    run()
    assert measured()["FilesNotTaken"] == 0
    assert store.get(SWEPT)["not_taken"]["keys"] == []


def test_a_file_under_two_prefixes_is_counted_once(
    store: Store,
    s3: Any,
    machine: StateMachine,
    monkeypatch: pytest.MonkeyPatch,
    measured: Callable[[], dict[str, float]],
) -> None:
    two = {
        "a": Dataset("a", "a_stage", "log_data/", (".json",)),
        "b": Dataset("b", "b_stage", "log_data/", (".txt",)),
        "c": Dataset("c", "c_stage", "log_data/deep/", (".csv",)),
    }
    monkeypatch.setattr(sweep, "datasets", lambda: two)
    s3.put_object(Bucket="data", Key="log_data/deep/x.pdf", Body=b"x")
    s3.put_object(Bucket="data", Key="log_data/y.pdf", Body=b"x")
    run()
    assert measured()["FilesNotTaken"] == 2
    assert store.get(SWEPT)["not_taken"]["datasets"] == {"a": 1, "c": 1}


def test_the_sweep_goes_on_where_that_cannot_be_noted(
    store: Store, machine: StateMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Store.put

    def failing(self: Store, key: str, value: Any) -> str:
        if key == SWEPT:
            raise OSError("S3 does not answer")
        return put(self, key, value)

    monkeypatch.setattr(Store, "put", failing)
    assert run() == 2
    assert len(machine.executions) == 1
    assert SWEPT not in store.keys("")


SONGS = {"song_data": ["song_data/", ".json", ".json.gz", ".json.bz2", ".json.zst"]}


@pytest.mark.parametrize(
    ("seen", "keys"),
    [
        ({"datasets": SONGS, "files": []}, [LOG]),  # log_data was added since
        ({"datasets": SONGS | {"log_data": ["old/", *SONGS["song_data"][1:]]}, "files": []}, [LOG]),
        ({"datasets": SONGS | {"log_data": ["log_data/", ".json"]}, "files": []}, [LOG]),
        ({"datasets": {}, "files": []}, [LOG, SONG]),
    ],
)
def test_of_a_dataset_that_the_last_sweep_did_not_know_all_files_are_swept(
    store: Store, machine: StateMachine, seen: Any, keys: list[str]
) -> None:
    """They may be older than the mark, and no event of theirs was ever taken."""
    set_mark(store, 2 * OVERLAP, seen)
    assert run() == len(keys)
    [given] = machine.executions.values()
    assert [row["key"] for row in store.get_lines(store.key_of(given["objects"]))] == keys


def test_when_what_the_last_sweep_saw_is_deleted_all_files_are_swept_once(
    store: Store, s3: Any, machine: StateMachine
) -> None:
    set_mark(store, 2 * OVERLAP)
    [seen] = store.keys("sweep/seen/")
    s3.delete_object(Bucket="working", Key=seen)
    assert run() == 2
    ended_well(store, machine)
    assert run() == 0


def test_the_sweep_does_not_move_its_mark_itself(store: Store) -> None:
    """Only the load does, when it has ended well: a failed one must be swept again."""
    run()
    assert SWEEP_MARK not in list(store.keys(""))


def test_an_empty_bucket(s3: Any, machine: StateMachine) -> None:
    for key in (LOG, SONG):
        s3.delete_object(Bucket="data", Key=key)
    assert run() == 0
    assert machine.executions == {}


def ended_well(store: Store, machine: StateMachine) -> None:
    """The last execution has loaded all, and moved the mark."""
    name, given = list(machine.executions.items())[-1]
    machine.end(name, "SUCCEEDED")
    put_mark(store, given["mark"])


def test_what_was_seen_starts_no_load_again(store: Store, s3: Any, machine: StateMachine) -> None:
    """Although the overlap is days: else each sweep of these days would load what the first has loaded."""
    assert run() == 2
    [given] = machine.executions.values()
    seen = store.get(f"sweep/seen/{given['mark']}.json")
    assert [key for key, _ in seen["files"]] == [LOG, SONG]
    ended_well(store, machine)
    assert run() == 0
    s3.put_object(Bucket="data", Key=SONG, Body=b"{'other': 1}")
    s3.put_object(Bucket="data", Key="log_data/new.json", Body=b"{}")
    assert run() == 2
    rows = store.get_lines(store.key_of(list(machine.executions.values())[-1]["objects"]))
    assert [row["key"] for row in rows] == ["log_data/new.json", SONG]
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
        if bucket == "data":
            s3.put_object(Bucket="data", Key="log_data/late.json", Body=b"{}")

    monkeypatch.setattr(Store, "list_files", listing)
    assert run() == 2
    ended_well(store, machine)
    assert run() == 1


@pytest.mark.parametrize("name", ["4c8f2a1e-0000-4000-8000-000000000001", "sweep-1", "backfill"])
def test_while_a_person_loads_nothing_is_swept(
    store: Store, machine: StateMachine, measured: Callable[[], dict[str, float]], name: str
) -> None:
    """Nor while a backfill goes on, of which each execution starts the next. Its own metric is exact meanwhile."""
    opened(store, "gone")
    machine.start(name)
    machine.start("s3-1")
    assert run() == 0
    assert list(machine.executions) == [name, "s3-1"]
    assert [key for key in store.keys("") if not key.startswith(UNFINISHED)] == [SWEPT]
    told = store.get(SWEPT)
    assert told["skipped"]
    assert told["running"] == 2
    assert "oldest_not_loaded_seconds" not in told  # it did not look
    assert measured() == {}
    machine.end(name, "SUCCEEDED")
    assert run() == 2


def handed(store: Store, machine: StateMachine) -> list[str]:
    """The keys that the newest execution was given."""
    given = list(machine.executions.values())[-1]
    return [row["key"] for row in store.get_lines(store.key_of(given["objects"]))]


def of_events(
    store: Store, machine: StateMachine, *keys: str, name: str = "s3-1", **changes: Any
) -> None:
    """A load that events started is running; the trigger wrote the list of its files."""
    there = {file.key: file for file in store.list_files("data", "")}
    rows = [{**there[key].as_dict(), **changes} for key in keys]
    store.put_lines(f"events/{'-'.join(name.split('-')[:2])}.json.gz", rows)
    machine.start(name)


@pytest.mark.parametrize("name", ["s3-1", "s3-1-2"])  # the second attempt at the same list
def test_what_a_load_from_events_has_is_left_to_it(
    store: Store, machine: StateMachine, name: str
) -> None:
    of_events(store, machine, LOG, name=name)
    assert run() == 1
    assert handed(store, machine) == [SONG]


@pytest.mark.parametrize("end", ["SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT"])
def test_what_was_left_to_a_load_is_looked_at_again(
    store: Store, machine: StateMachine, end: str
) -> None:
    """It may have failed; if it has not, the ledger says so. The mark has moved on meanwhile."""
    of_events(store, machine, LOG)
    run()
    ended_well(store, machine)
    assert run() == 0  # it is running still
    machine.end("s3-1", end)
    assert run() == 1
    assert handed(store, machine) == [LOG]
    ended_well(store, machine)
    assert run() == 0


def test_a_file_that_was_put_again_is_not_the_running_loads(
    store: Store, s3: Any, machine: StateMachine
) -> None:
    of_events(store, machine, LOG)
    s3.put_object(Bucket="data", Key=LOG, Body=b"{'other': 1}")
    assert run() == 2


@pytest.mark.parametrize(("days", "swept"), [(1, 0), (sweep.OVERLAP.days, 1)])
def test_a_file_that_the_next_sweep_would_not_see_is_not_left_to_a_load(
    store: Store, machine: StateMachine, days: int, swept: int
) -> None:
    of_events(store, machine, LOG)
    put = datetime.now(UTC) - timedelta(days=days)  # by EventBridge's clock
    of_events(store, machine, SONG, name="s3-2", modified=f"{put:%Y-%m-%dT%H:%M:%SZ}")
    assert run() == swept


def test_a_load_from_events_whose_list_is_gone(machine: StateMachine) -> None:
    """Its life-cycle rule has taken it; or a person has called an execution so."""
    machine.start("s3-gone")
    machine.start("s3-")
    assert run() == 2


def test_all_pages_of_the_running_executions_are_read(
    store: Store, machine: StateMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest first; AWS gives 100 a page, moto here two."""
    monkeypatch.setitem(PAGINATION_MODEL["list_executions"], "limit_default", 2)
    of_events(store, machine, LOG, name="s3-first")
    opened(store, "s3-first")
    for number in range(5):
        machine.start(f"s3-{number}")
    assert run() == 1
    assert handed(store, machine) == [SONG]
    assert list(machine.executions.values())[-1]["ended"] == []


def opened(store: Store, name: str, started: str = "2026-11-23T20:30:11Z") -> str:
    """An execution of this name has planned a load that stages; returns the load's id."""
    execution = f"{sweep.STATE_MACHINE.replace(':stateMachine:', ':execution:')}:{name}"
    load = keys.load_id(execution, started)
    store.put(keys.unfinished(load), {"execution": execution})
    return load


@pytest.mark.parametrize("there", [True, False])
def test_loads_that_ended_without_cleaning_up_are_handed_to_the_next(
    store: Store, s3: Any, machine: StateMachine, there: bool
) -> None:
    """Also if there is nothing to load."""
    if not there:
        for key in (LOG, SONG):
            s3.delete_object(Bucket="data", Key=key)
    machine.start("s3-failed")
    machine.end("s3-failed", "FAILED")
    machine.start("s3-running")
    gone, failed = opened(store, "s3-gone"), opened(store, "s3-failed")
    opened(store, "s3-running")
    assert run() == (2 if there else 0)
    given = list(machine.executions.values())[-1]
    assert sorted(given["ended"]) == sorted([gone, failed])
    assert handed(store, machine) == ([LOG, SONG] if there else [])
    request = parse(given)
    assert (set(request.ended), request.mark) == ({gone, failed}, given["mark"])
    assert (
        len(list(store.keys(UNFINISHED))) == 3
    )  # the load takes them away, when it has cleaned up


def test_the_sweeps_own_load_is_found_when_it_ends_badly(
    store: Store, machine: StateMachine
) -> None:
    run()
    [name] = machine.executions
    load = opened(store, name)
    machine.end(name, "ABORTED")
    run()
    assert list(machine.executions.values())[-1]["ended"] == [load]


def test_a_load_that_begins_while_the_sweep_looks_is_not_taken_for_ended(
    store: Store, machine: StateMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    running_executions = sweep.running_executions

    def look() -> list[str]:
        names = running_executions()
        machine.start("s3-new")
        opened(store, "s3-new")
        return names

    monkeypatch.setattr(sweep, "running_executions", look)
    assert run() == 2
    assert list(machine.executions.values())[-1]["ended"] == []


def test_ended_loads_are_handed_on_in_portions(
    store: Store, machine: StateMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An execution's input is limited to 256 KiB; the next sweep finds the others."""
    assert sweep.MAX_ENDED * len('"20261123-203011-0a1b2c3d", ') < 128 * 1024
    monkeypatch.setattr(sweep, "MAX_ENDED", 3)
    loads = {opened(store, f"s3-{number}") for number in range(5)}
    run()
    given = set(list(machine.executions.values())[-1]["ended"])
    assert len(given) == 3
    assert given < loads
    for load in given:
        store.delete(keys.unfinished(load))
    ended_well(store, machine)
    assert run() == 0
    assert set(list(machine.executions.values())[-1]["ended"]) == loads - given


@pytest.mark.parametrize(
    "changes",
    [
        {"WORKGROUP_NAME": "another"},
        {"WORKGROUP_NAME": "", "CLUSTER_IDENTIFIER": "another"},
        {"DATABASE_NAME": "another"},
        {"SCHEMA_NAME": "another"},
        {"DATA_BUCKET": "another"},
    ],
)
def test_the_mark_of_another_ledger_is_void(
    store: Store,
    s3: Any,
    machine: StateMachine,
    configure: Callable[..., None],
    measured: Callable[[], dict[str, float]],
    changes: dict[str, str],
) -> None:
    """All files are looked at, and none has waited for longer than that."""
    s3.create_bucket(
        Bucket="another", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    for key in (LOG, SONG):
        s3.put_object(Bucket="another", Key=key, Body=b"{}")
    set_mark(store, 2 * OVERLAP)
    configure(**changes)
    assert run() == 2
    [given] = machine.executions.values()
    document = store.get(SWEEP_MARK)
    assert document["void"].startswith("The mark is of another ledger: ")
    assert "(now 'another')" in document["void"]
    assert document["at"] == given["mark"]  # so that this sweep's load may write one
    assert store.get(WAITING_SINCE) == {"since": given["mark"]}
    found = measured()
    del found["FilesNotTaken"], found["DatasetsOverdue"]
    assert found == {"SweepMarkVoided": 1, "FilesSwept": 2}


def test_the_mark_of_an_earlier_version_says_not_whose_it_is(
    store: Store, machine: StateMachine
) -> None:
    """All files are looked at, once."""
    set_mark(store, 2 * OVERLAP)
    store.put(SWEEP_MARK, {"mark": store.get(SWEEP_MARK)["mark"], "load_id": "L"})
    assert run() == 2
    ended_well(store, machine)
    assert run() == 0


@pytest.mark.parametrize(("hours", "looks"), [(23.9, 0), (24.1, 1)])
def test_the_ledger_is_looked_at_once_a_day_though_nothing_is_new(
    store: Store, machine: StateMachine, hours: float, looks: int
) -> None:
    """It may have gone back, and no load came that would see it."""
    run()
    ended_well(store, machine)
    begun = store.get(SWEEP_MARK)["mark"]
    stamp = (datetime.fromisoformat(begun) - timedelta(hours=hours)).isoformat()
    store.put(f"sweep/seen/{stamp}.json", store.get(f"sweep/seen/{begun}.json"))
    put_mark(store, stamp)
    assert run() == 0
    assert len(machine.executions) == 1 + looks
    if looks:
        assert handed(store, machine) == []
        assert run() == 0  # while it runs
        ended_well(store, machine)
        assert run() == 0
        assert len(machine.executions) == 2


def test_an_empty_bucket_without_a_mark_is_not_looked_at(
    store: Store, s3: Any, machine: StateMachine
) -> None:
    for key in (LOG, SONG):
        s3.delete_object(Bucket="data", Key=key)
    store.put(SWEEP_MARK, {"void": "why", "at": "2026-11-01T08:00:00+00:00"})
    assert run() == 0
    assert machine.executions == {}


def test_what_is_measured(
    store: Store, machine: StateMachine, measured: Callable[[], dict[str, float]]
) -> None:
    """Nothing is new: nothing waits. Else its load knows, when it has asked the ledger."""
    run()
    assert measured() == {"FilesSwept": 2, "FilesNotTaken": 1, "DatasetsOverdue": 0}
    ended_well(store, machine)
    run()
    assert measured() == {"OldestFileNotLoaded": 0, "FilesNotTaken": 1, "DatasetsOverdue": 0}


def test_the_age_of_a_file_whose_load_from_an_event_has_not_ended(
    store: Store, machine: StateMachine, measured: Callable[[], dict[str, float]]
) -> None:
    """A load that hangs must not look as if nothing waited."""
    of_events(store, machine, LOG, name="s3-1")
    of_events(store, machine, SONG, name="s3-2")
    assert run() == 0
    assert 0 < measured()["OldestFileNotLoaded"] < 60


def test_what_a_load_left_is_tried_again_however_old_it_is(
    store: Store, machine: StateMachine
) -> None:
    left = {"bucket": "data", "key": SONG, "etag": "e", "size": 2, "modified": "2018-01-01T00:00Z"}
    store.put("sweep/again/20180101-000000-0a1b2c3d.json", [left])
    set_mark(store, 2 * OVERLAP)
    assert run() == 1
    [given] = machine.executions.values()
    rows = list(store.get_lines(store.key_of(given["objects"])))
    assert [(row["key"], row["etag"]) for row in rows] == [(SONG, "e")]
    read = store.get(f"sweeps/again-{given['mark']}.json")
    assert read == ["sweep/again/20180101-000000-0a1b2c3d.json"]


@pytest.mark.parametrize(
    ("every", "newest", "overdue"),
    [
        (0, "2026-11-01T00:00:00+00:00", 0),  # nothing is expected
        (86400, "", 0),  # nobody has begun to upload
        (86400, "2026-11-27T00:00:00+00:00", 0),
        (86400, "2026-11-26T23:59:59+00:00", 1),
    ],
)
def test_a_dataset_is_overdue_if_no_file_has_come_for_longer_than_expected(
    every: int, newest: str, overdue: int
) -> None:
    now = datetime(2026, 11, 28, tzinfo=UTC)
    daily = replace(datasets()["log_data"], expect_seconds=every)
    seen = Newest()
    for modified in filter(None, (newest, newest and "2026-11-20T00:00:00+00:00")):
        seen.add(daily, modified)
    assert len(seen.overdue([daily], now)) == overdue


def test_the_sweep_measures_what_is_overdue(
    store: Store,
    machine: StateMachine,
    monkeypatch: pytest.MonkeyPatch,
    measured: Callable[[], dict[str, float]],
) -> None:
    daily = {name: replace(each, expect_seconds=3600) for name, each in datasets().items()}
    monkeypatch.setattr(sweep, "datasets", lambda: daily)
    run()
    assert measured()["DatasetsOverdue"] == 0  # its files have just come


def test_it_tells_what_it_has_seen(store: Store, s3: Any, machine: StateMachine) -> None:
    before = datetime.now(UTC)
    run()
    told = store.get(SWEPT)
    assert before <= datetime.fromisoformat(told["at"]) <= datetime.now(UTC)
    [(name, _)] = machine.executions.items()
    assert told["started"].endswith(f":{name}")
    assert told["schedule"] == "rate(1 hour)"
    assert 0 <= told["oldest_not_loaded_seconds"] < 60
    logs = told["datasets"]["log_data"]
    assert logs.pop("newest")[:10] == f"{before:%Y-%m-%d}"
    assert logs == {
        "prefix": "log_data/", "suffixes": list(datasets()["log_data"].suffixes),
        "expect_seconds": 0, "contract": False, "files": 1,
    }  # fmt: skip
    ended_well(store, machine)
    run()
    told = store.get(SWEPT)
    assert told["started"] is None
    assert told["oldest_not_loaded_seconds"] == 0


def test_files_that_wait_for_a_load_to_end_are_told(store: Store, machine: StateMachine) -> None:
    set_mark(store, 2 * OVERLAP)
    row = {
        "bucket": "data",
        "key": LOG,
        "etag": "e",
        "size": 2,
        "modified": "2026-11-23T20:30:11+00:00",
    }
    store.put_lines(f"waiting/log_data/{'0' * 40}-1.json.gz", [row | {"sequencer": "1"}])
    for number in range(4):
        machine.start(f"s3-{number}")
        store.put_lines(keys.event_list(f"s3-{number}"), [row])
    run()
    assert store.get(SWEPT)["waiting"] == {"files": 1, "lists": 1}


def test_a_load_that_never_came_to_its_end_is_in_the_history(
    store: Store, machine: StateMachine
) -> None:
    set_mark(store, 2 * OVERLAP)
    arn = "arn:aws:states:us-west-2:123456789012:execution:load:s3-7"
    load = keys.load_id(arn, "2026-11-23T20:30:11.000Z")
    store.put(keys.unfinished(load), {"execution": arn})
    run()
    key = keys.history_load(load)
    assert unpacked(store.get_bytes(key)[0])["status"] == "failed"
    told = store.get(SWEPT)
    assert told["started"]


def test_the_history_of_the_day_is_folded(store: Store, machine: StateMachine) -> None:
    set_mark(store, 2 * OVERLAP)
    load = keys.load_id("arn:x", datetime.now(UTC).isoformat())
    store.put_bytes(keys.history_load(load), packed({"load_id": load}))
    run()
    [key] = store.keys(keys.HISTORY_DAYS)
    assert [each["load_id"] for each in unpacked(store.get_bytes(key)[0])["loads"]] == [load]
