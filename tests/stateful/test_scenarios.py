"""What the loader promises, one short story each. The mutants (tests/mutants) say which of them holds which promise."""

from __future__ import annotations

import re
import threading
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest import mock
from urllib.parse import quote

import pytest
from loader import sql

from fakeshift import Fault, Isolation, Principal, SnapshotAt
from local.states.interpreter import Stopped
from tests.stateful.model import Ledger, etag_of
from tests.stateful.story import Story
from tests.stateful.worlds import new_world
from tests.world.boundary import Call, Place
from tests.world.executions import Execution
from tests.world.files import BAD, DAY, Event, File, Song
from tests.world.simulator import ROOT, Expected, World, load_id_of

A, B, C = "log_data/a.json", "log_data/b.json", "log_data/c.json"
S, T = "song_data/s.json", "song_data/t.json"

NAMES = {"schema": "sparkify", "loader_schema": "sparkify_loader", "copy_role": "default"}

# That LOCK takes no snapshot follows from dg/c_serial_isolation.html, and stands in no sentence of its own: the lock's
# row keeps the publishers apart if it takes one.
every_isolation = pytest.mark.parametrize("isolation", ["snapshot", "serializable"])
every_snapshot = pytest.mark.parametrize("snapshot_at", ["statement", "lock"])


@pytest.fixture
def story() -> Iterator[Story]:
    with new_world() as world:
        yield Story(world, print, lambda _: None)


def log(key: str, *events: Event) -> File:
    return File(key, events)


def songs(key: str, *records: Song) -> File:
    return File(key, records)


def last(story: Story) -> Execution:
    return story.world.executions.all[-1]


def load_of(story: Story, *files: File) -> str:
    """Loads these files together; returns the load's id. Their execution ends well."""
    story.load(files)
    assert last(story).status == "SUCCEEDED", last(story).report
    return load_id_of(last(story))


def start(story: Story, document: dict[str, Any]) -> dict[str, Any]:
    """A person starts it and reads the report."""
    execution = story.world.start(document)
    story.world.work()
    story.after_loads()
    return execution.report


def status_of(story: Story, file: File) -> str | None:
    return Ledger(story.world).status((file.key, etag_of(file.body)))


def count_of(story: Story, table: str) -> int:
    (((count,),),) = story.world.warehouse.query(f"SELECT COUNT(*) FROM sparkify.{table}")
    return int(count)


def by_hand(story: Story, sql: str) -> None:
    """An administrator of the warehouse runs a statement."""
    request = {"Sql": sql, "Database": "dev", "WorkgroupName": "local", "WaitTimeSeconds": 30}
    admin = Principal("admin", "admin", superuser=True)
    answer = story.world.warehouse.local.call("ExecuteStatement", request, admin)
    assert answer["Status"] == "FINISHED", answer


def ran(story: Story, beginning: str) -> int:
    """How many statements of this beginning the loads have run."""
    return sum(ran.sql.startswith(beginning) for ran in story.world.warehouse.faults.ran)


def all_loaded(story: Story) -> Expected:
    """What must be there if all that is in the bucket is loaded, and nothing else."""
    there = {key: story.model.versions[key, etag] for key, etag in story.model.current.items()}
    return Expected.of({key: file.body for key, file in there.items()})


def next_call(story: Story, caller: str, operation: str) -> Place:
    """The place of the next call of this operation by this caller."""
    made = [c for c in story.world.boundary.calls if c.place.caller == caller]
    return Place(caller, operation, 1 + sum(c.place.operation == operation for c in made))


def next_statement(story: Story, beginning: str, wrong: str | Fault) -> threading.Event:
    """Lets the next statement of this beginning go wrong, in a way of SQL_KINDS or by a fault of the local Redshift.

    Returns what is set when it has.
    """
    faults = story.world.warehouse.faults
    of_statement = faults.of_statement
    struck = threading.Event()

    def at_statement(sql: str) -> Fault | None:
        if sql.startswith(beginning) and not struck.is_set():
            struck.set()
            if isinstance(wrong, Fault):
                return wrong
            faults.armed[len(faults.ran) + 1] = wrong
        return of_statement(sql)

    faults.of_statement = at_statement  # type: ignore[method-assign]
    return struck


@contextmanager
def each_statement(story: Story, beginning: str, message: str) -> Iterator[list[str]]:
    """Every statement of this beginning fails with this message; gives those that have."""
    faults = story.world.warehouse.faults
    of_statement = faults.of_statement
    struck: list[str] = []

    def at_statement(sql: str) -> Fault | None:
        fault = of_statement(sql)
        if sql.startswith(beginning):
            struck.append(sql)
            return Fault("fail", sql=".", message=message)
        return fault

    with mock.patch.object(faults, "of_statement", at_statement):
        yield struck


@contextmanager
def copy_reports(
    story: Story, change: Callable[[dict[str, Any]], dict[str, Any] | None], after: int = 0
) -> Iterator[None]:
    """The rows of SYS_LOAD_DETAIL (and of SYS_LOAD_ERROR_DETAIL) are changed, None: left out, and the first are seen
    after so many looks.
    """
    kept = story.world.warehouse.local.records
    add, rows = kept.add, kept.rows
    held: list[list[Any]] = []
    looks = 0

    def adding(table: str, records: Any) -> None:
        if table in ("load_detail", "load_error_detail"):
            records = [new for old in records if (new := change(dict(old)))]
        if table == "load_detail" and looks < after:
            held.append(records)
        else:
            add(table, records)

    def reading(table: str, *which: Any) -> list[Any]:
        nonlocal looks
        if table == "load_detail":
            looks += 1
            while held and looks > after:
                add(table, held.pop())
        return rows(table, *which)

    with mock.patch.object(kept, "add", adding), mock.patch.object(kept, "rows", reading):
        yield


def when_entering(story: Story, state: str, do: Callable[[Execution], None], time: int = 1) -> None:
    """Does something when a state is entered for the n-th time from now."""
    left = [time]

    def at_state(execution: Execution, entered: str) -> None:
        if entered == state:
            left[0] -= 1
            if left[0] == 0:
                do(execution)

    story.world.executions.at_state = at_state


def stop(execution: Execution) -> None:
    raise Stopped


# -- once ------------------------------------------------------------------------------------


def test_an_event_of_two_files_is_one_play(story: Story) -> None:
    load_of(story, log(A, Event(), Event(item=1)))
    load_of(story, log(B, Event(item=1), Event(item=2)))
    assert count_of(story, "songplays") == 5  # two of FIRST


def test_an_event_twice_in_a_file_is_one_play(story: Story) -> None:
    load_of(story, log(A, Event(), Event(), Event(level="paid")))
    assert count_of(story, "songplays") == 3


def test_more_lines_add_only_the_new_events(story: Story) -> None:
    load_of(story, log(A, Event(), Event(item=1)))
    load_of(story, log(A, Event(), Event(item=1), Event(item=2)))
    assert count_of(story, "songplays") == 5


def test_two_songs_of_one_name_do_not_double_a_play(story: Story) -> None:
    load_of(story, songs(S, Song(id="SO2")), songs(T, Song(id="SO1")))
    load_of(story, log(A, Event()))
    load_of(story, songs(S, Song(id="SO3"), Song(id="SO4")))
    assert count_of(story, "songplays") == 3


def test_the_same_file_is_loaded_once_however_often_it_is_asked_for(story: Story) -> None:
    file = log(A, Event(), Event(item=1))
    load_of(story, file)
    story.load([file], starts=[{}, {"keys": [A]}, {"prefixes": ["log_data/"]}])
    story.tell_again(0, 2)
    story.load()
    story.world.check(all_loaded(story))
    assert len(Ledger(story.world).rows) == 3


@every_isolation
@every_snapshot
def test_loads_of_one_file_at_once_load_it_once(
    isolation: Isolation, snapshot_at: SnapshotAt
) -> None:
    """Both have staged it before either publishes."""
    with new_world(isolation, snapshot_at=snapshot_at) as world:
        story = Story(world, print, lambda _: None)
        world.queue.group = lambda found: [[message] for message in found]
        file = log(A, Event(), Event(item=1))
        told = world.upload(file.key, file.body)
        world.queue.notify({**told, "detail": {**told["detail"], "object": {
            **told["detail"]["object"], "sequencer": "FF"}}})  # fmt: skip
        story.model.put(file)
        with the_other_first(world, before="LOCK"):
            world.work(together=True)
        assert [e.status for e in world.executions.all[-2:]] == ["SUCCEEDED"] * 2
        world.check(all_loaded(story))


@every_isolation
@every_snapshot
def test_loads_at_once_publish_an_event_of_both_once(
    isolation: Isolation, snapshot_at: SnapshotAt
) -> None:
    """Their transactions meet: each would insert the play if it did not wait for the other."""
    with new_world(isolation, snapshot_at=snapshot_at) as world:
        story = Story(world, print, lambda _: None)
        with the_other_first(world, before="INSERT INTO sparkify.songplays "):
            story.load_at_once([log(A, Event()), log(B, Event(), Event(item=1))], [])
        assert [e.status for e in world.executions.all[-2:]] == ["SUCCEEDED"] * 2
        assert count_of(story, "songplays") == 4
        story.settle()


# -- order -----------------------------------------------------------------------------------


def test_the_data_decides_about_plays_and_users_not_the_arrival(story: Story) -> None:
    """The tables are compared with the oracle after each load."""
    load_of(
        story,
        log(
            A,
            Event(user=1, at=DAY, name="New"),
            Event(user=2, at=0, name="Old"),
            Event(user=3, item=0, title="B"),
            Event(user=3, item=1, title="A"),
            Event(user=5, name="B"),
            Event(user=6, name="A"),
        ),
    )
    load_of(
        story,
        log(
            B,
            Event(user=1, at=0, name="Old"),
            Event(user=2, at=DAY, name="New"),
            Event(user=3, item=0, title="A"),
            Event(user=3, item=1, title="B"),
            Event(user=5, name="A"),
            Event(user=6, name="B"),
        ),
    )


def test_the_data_decides_about_songs_and_artists_not_the_arrival(story: Story) -> None:
    load_of(
        story,
        songs(
            S,
            Song("SO1", title="B"),
            Song("SO2", title="A"),
            Song("SO3", title="C", artist_id="AR3", artist="First and smaller"),
            Song("SO6", title="C", artist_id="AR4", artist="First and larger"),
            Song("SO7", title="B", artist_id="AR5", artist="First and smallest"),
            Song("SO8", title="C", artist_id="AR5", artist="First and second"),
        ),
    )
    load_of(
        story,
        songs(
            T,
            Song("SO1", title="A"),
            Song("SO2", title="B"),
            Song("SO4", title="C", artist_id="AR3", artist="Late and larger"),
            Song("SO5", title="C", artist_id="AR4", artist="Late and smaller"),
            Song("SO7", title="A", artist_id="AR6", artist="Another's now"),
            Song("SO9", title="C", artist_id="AR5", artist="Late and third"),
        ),
    )


def test_the_data_decides_which_of_equal_songs_a_play_has_not_the_arrival(story: Story) -> None:
    load_of(story, log(A, Event(title="M"), Event(item=1, title="N")))
    load_of(story, songs(S, Song("SO3", title="M"), Song("SO4", title="N")))
    load_of(story, songs(T, Song("SO5", title="M"), Song("SO2", title="N")))
    load_of(story, log(B, Event(item=2, title="M"), Event(item=3, title="N")))


def test_a_late_song_finds_its_plays(story: Story) -> None:
    load_of(story, log(A, Event(title="Late  "), Event(item=1, title="Never")))
    load_of(story, songs(S, Song("SO3", title="Late ", artist="A ")))
    assert count_of(story, "songplays WHERE song_id = 'SO3'") == 1


def test_days_in_any_order(story: Story) -> None:
    load_of(story, log(B, Event(at=2 * DAY), Event(at=3 * DAY, user=2)))
    load_of(story, log(A, Event(at=0), Event(at=4 * DAY, user=2), Event(at=2 * DAY, item=5)))


# -- changed and bad files -------------------------------------------------------------------


def test_every_kind_of_bad_file_is_rejected_and_the_good_ones_are_loaded(story: Story) -> None:
    good = [log("log_data/good.json", Event()), songs("song_data/good.json", Song())]
    bad = [
        File(key, (Event(),) if key.startswith("log_data/") else (Song(),), bad=kind)
        for number, kind in enumerate(BAD)
        for key in (f"log_data/{number}.json.gz", f"song_data/{number}.json")
        if BAD[kind].takes(key)
    ]
    story.load([*bad, *good])
    report = last(story).report
    assert report["rejected_total"] == len(bad)
    assert all(rejected["reason"] for rejected in report["rejected"])
    assert [status_of(story, file) for file in good] == ["loaded", "loaded"]
    assert {kind: status_of(story, file) for file, kind in zip(bad, BAD, strict=False)}
    assert {file.bad for file in bad if status_of(story, file) == "rejected"} == set(BAD)


def test_a_mended_file_is_loaded_and_its_rejection_is_closed(story: Story) -> None:
    bad, good = File(A, (Event(),), bad="cut off"), log(A, Event(), Event(item=1))
    story.load([bad])
    assert status_of(story, bad) == "rejected"
    load_of(story, good)
    assert (status_of(story, bad), status_of(story, good)) == ("closed", "loaded")


def test_an_object_that_is_deleted_before_copy_is_missing_and_the_others_are_loaded(
    story: Story,
) -> None:
    gone, there = log(A, Event()), log(B, Event(item=1))
    for file in (gone, there):
        story.model.put(file)
        story.world.upload(file.key, file.body)
    story.delete(A)
    story.load()
    assert (status_of(story, gone), status_of(story, there)) == ("missing", "loaded")


def test_a_file_that_is_loaded_stays_so_when_its_object_is_gone(story: Story) -> None:
    """Its event is repeated, and COPY finds nothing: where its rows are is what the ledger says."""
    file = log(A, Event())
    load_of(story, file)
    story.delete(A)
    story.tell_again(0, 1)
    load_of(story, log(B, Event(item=1)))
    assert last(story).report["files"]["rejected"] == 1
    assert status_of(story, file) == "loaded"
    assert count_of(story, "songplays") == 4


def test_an_object_that_is_replaced_before_copy_is_recorded_as_it_was_read(story: Story) -> None:
    old, new = log(A, Event()), log(A, Event(), Event(item=1))
    story.world.upload(old.key, old.body)
    story.model.put(old)
    story.load([new], unheard=True)
    assert (status_of(story, old), status_of(story, new)) == (None, "loaded")


def test_a_good_version_is_loaded_although_a_bad_one_was_read_in_its_place(story: Story) -> None:
    good, bad = log(A, Event()), File(A, (Event(),), bad="cut off")
    story.world.upload(good.key, good.body)
    story.model.put(good)
    story.load([bad], unheard=True)
    story.load([good], unheard=True)
    story.settle()


EQUAL = "log_data/year=2018/a b.json"


def encoded(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "file_name": quote(record["file_name"], safe="/:")}


def check_of(story: Story, name: str) -> tuple[Any, Any, bool]:
    """Figure, expected figure and verdict of a check of the last load, as its report and the ledger have it."""
    report = last(story).report
    (check,) = [check for check in report["checks"] if check["name"] == name]
    columns = "figure, expected, figure = expected"
    where = f"load_id = '{report['load_id']}' AND name = '{name}'"
    query = f"SELECT {columns} FROM sparkify.check_results WHERE {where}"
    assert story.world.warehouse.query(query) == [
        [(check["figure"], check["expected"], check["passed"])]
    ]
    return check["figure"], check["expected"], check["passed"]


def test_what_copy_reports_late_is_waited_for(story: Story) -> None:
    file = log(A, Event(), Event(item=1))
    with copy_reports(story, lambda record: record, after=4):
        load_of(story, file)
    assert count_of(story, "files WHERE lines = 2") == 2  # one of FIRST
    assert check_of(story, "rows_by_file") == (0, 0, True)


def test_a_file_that_copy_does_not_report_is_a_figure_and_fails_nothing(story: Story) -> None:
    def only_b(record: dict[str, Any]) -> dict[str, Any] | None:
        return record if record["file_name"].endswith("b.json") else None

    with copy_reports(story, only_b):
        load_of(story, log(A, Event(), Event(item=1)), log(B, Event(item=2)))
    assert check_of(story, "rows_by_file") == (1, 1, True)
    assert check_of(story, "rows_copied") == (3, 3, True)
    assert count_of(story, "files WHERE status = 'loaded' AND lines IS NULL") == 1
    story.world.check(all_loaded(story))


def test_rows_that_copy_did_not_load_fail_the_load(story: Story) -> None:
    """A contradiction between COPY's count and what is staged, even with a file that is not reported."""
    file = log(A, Event(), Event(item=1))

    def add_a_row(_: Execution) -> None:
        (table,) = (name for name in story.world.warehouse.tables() if "event_stage_" in name)
        by_hand(
            story,
            f"INSERT INTO sparkify_loader.{table} SELECT * FROM sparkify_loader.{table} LIMIT 1",
        )

    when_entering(story, "Publish", add_a_row)
    story.model.put(file)
    with copy_reports(story, lambda record: None):
        story.world.upload(file.key, file.body)
        story.world.work()
    assert last(story).status == "FAILED"
    assert "rows_copied" in last(story).report["cause"]
    assert "figure 3, expected 2" in last(story).report["cause"]
    assert status_of(story, file) is None


def test_names_that_redshift_encodes_are_told_apart(story: Story) -> None:
    good, bad = log(EQUAL, Event()), File("log_data/x=1.json", (Event(),), bad="cut off")
    with copy_reports(story, encoded):
        story.load([good, bad])
    assert last(story).report["rejected_total"] == 1
    assert last(story).report["rejected"][0]["line"] is not None
    assert (status_of(story, good), status_of(story, bad)) == ("loaded", "rejected")
    assert check_of(story, "rows_by_file") == (0, 0, True)


INTERRUPTIONS = {
    seen["name"]: seen["text"].removeprefix("ERROR: ")
    for seen in tomllib.loads((ROOT / "tests/world/redshift_errors.toml").read_text())["error"]
    if seen["name"] in ("cancelled by a person", "throttled by S3", "a table dropped meanwhile")
}


@pytest.mark.parametrize(
    "beginning", ["COPY sparkify_loader.event_stage_", "COPY sparkify_loader.event_stage ("]
)
@pytest.mark.parametrize("name", INTERRUPTIONS)
def test_an_interruption_however_often_rejects_no_file(
    story: Story, name: str, beginning: str
) -> None:
    """Of COPY itself, and of the look for bad files: there is one, which is found when all is well again."""
    good, bad = log(A, Event()), File(B, (Event(item=1),), bad="cut off")
    with each_statement(story, beginning, INTERRUPTIONS[name]) as struck:
        story.load([good, bad])
        assert last(story).status == "FAILED"
        assert INTERRUPTIONS[name].partition("\n")[0] in last(story).report["cause"]
        assert len(struck) == 8
        assert [status_of(story, file) for file in (good, bad)] == [None, None]
    story.settle()
    assert [status_of(story, file) for file in (good, bad)] == ["loaded", "rejected"]


def test_an_empty_file_is_loaded_with_no_rows(story: Story) -> None:
    files = [log(A), File(B, layout="newline at the end"), log("log_data/z.json.gz")]
    load_of(story, *files)
    assert [status_of(story, file) for file in files] == ["loaded"] * 3
    assert count_of(story, "files WHERE key <> '' AND lines = 0") == 3


def test_more_files_than_an_execution_holds_are_loaded_by_others() -> None:
    with new_world(parameters={"BatchFiles": "1", "MaxBatches": "1"}) as world:
        story = Story(world, print, lambda _: None)
        known = len(world.executions.all)
        story.load([log(A, Event()), log(B, Event()), log(C, Event(item=1))])
        assert [e.status for e in world.executions.all[known:]] == ["SUCCEEDED"] * 3
        world.check(all_loaded(story))


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(story: Story) -> None:
    story.load([log(A, Event()), log(B, Event())], unheard=True)
    before = Ledger(story.world).rows
    report = start(story, {"dry_run": True})
    assert (report["status"], report["plan"]["planned"]) == ("planned", 2)
    assert Ledger(story.world).rows == before
    assert count_of(story, "songplays") == 2


def test_what_a_load_has_spent_is_in_its_report_and_in_the_ledger(story: Story) -> None:
    """Counted by what really happened: states entered, functions called, requests sent."""
    entered: list[str] = []
    enter, known = story.world.executions.enter, len(story.world.boundary.calls)

    def count(execution: Execution, state: str) -> None:
        entered.append(state)
        enter(execution, state)

    story.world.executions.enter = count  # type: ignore[method-assign]
    load_id = load_of(story, log(A, Event()), File(B, (Event(item=1),), bad="cut off"))
    spent = last(story).report["spent"]
    calls = [call for call in story.world.boundary.calls[known:] if call.execution]
    kinds = Counter(call.action.partition(":")[0] for call in calls)
    assert spent["transitions"] == len(entered)
    assert spent["function_calls"] == kinds["lambda"]
    assert spent["data_api_calls"] == kinds["redshift-data"]
    told = (spent["transitions"], spent["data_api_calls"], spent["s3_requests"])
    columns = "transitions, data_api_calls, s3_requests"
    query = f"SELECT {columns} FROM sparkify.load_figures WHERE load_id = '{load_id}'"
    assert story.world.warehouse.query(query) == [[told]]


# -- reload ----------------------------------------------------------------------------------


def plays(story: Story) -> list[tuple[Any, ...]]:
    """(item, title) of the plays of user 1."""
    (rows,) = story.world.warehouse.query(
        "SELECT item_in_session, title FROM sparkify.songplays WHERE user_id = 1"
    )
    return sorted(rows)


def test_a_reload_replaces_what_its_files_had_loaded(story: Story) -> None:
    """Without it the smaller content wins: the earlier version's."""
    load_of(story, log(A, Event(title="A"), Event(item=1, title="A")))
    load_of(story, log(A, Event(title="B")))
    assert plays(story) == [(0, "A"), (1, "A")]
    report = start_reload(story, A)
    assert (report["status"], report["files"]["loaded"]) == ("loaded", 1)
    assert plays(story) == [(0, "B"), (1, "A")]


def test_undo_of_a_reload_is_refused_if_another_file_has_its_rows_too(story: Story) -> None:
    first = load_of(story, log(A, Event()))
    load_of(story, log(B, Event(), Event(item=1)))
    start_reload(story, B)
    report = start(story, {"undo": load_id_of(last(story))})
    assert f"{first} (2 rows). Without it" in report["cause"]  # the play, and the user's row
    assert (report["status"], plays(story)) == ("failed", [(0, "T"), (1, "T")])


def test_undo_of_a_reload_takes_its_files_out(story: Story) -> None:
    file = log(A, Event(), Event(item=1))
    load_of(story, file)
    start_reload(story, A)
    assert start(story, {"undo": load_id_of(last(story))})["status"] == "undone"
    assert (plays(story), status_of(story, file)) == ([], "withdrawn")
    assert count_of(story, "users WHERE user_id = 1") == 0


def test_undo_of_a_reload_is_refused_if_it_took_what_other_files_say_of_a_user(
    story: Story,
) -> None:
    """The first load knows its user's newest event only, and that is the reloaded file's."""
    story.load([log(A, Event(at=DAY, name="New")), log(B, Event(name="Old"))])
    first = load_id_of(last(story))
    start_reload(story, A)
    reload = load_id_of(last(story))
    report = start(story, {"undo": reload})
    assert f"{first} (1 rows). Without it" in report["cause"]
    start_reload(story, B)  # the first load has no file any more that is not replaced
    assert start(story, {"undo": reload})["status"] == "undone"
    (rows,) = story.world.warehouse.query("SELECT first_name FROM sparkify.users WHERE user_id = 1")
    assert list(rows) == [("Old",)]


def test_undo_of_a_reload_puts_back_no_play_of_a_file_that_it_replaced(story: Story) -> None:
    load_of(story, log(A, Event(title="B")))
    smaller = load_of(story, log(B, Event(title="A")))
    start_reload(story, A)
    reload = load_id_of(last(story))
    report = start_alone(story, {"undo": reload})
    assert f"{smaller} (2 rows). Without it" in report["cause"]
    assert plays(story) == [(0, "B")]
    assert start_alone(story, {"undo": smaller})["status"] == "undone"
    assert start(story, {"undo": reload})["status"] == "undone"
    assert plays(story) == []


def start_reload(story: Story, key: str) -> dict[str, Any]:
    """A reload of one file, whose content decides whatever is there."""
    report = start_alone(story, {"reload": True, "keys": [key]})
    assert report["status"] == "loaded", report
    return report


def start_alone(story: Story, document: dict[str, Any]) -> dict[str, Any]:
    """As start; the tables are not those of the oracle, which knows of no reload."""
    execution = story.world.start(document)
    story.world.work()
    return execution.report


# -- faults ----------------------------------------------------------------------------------


@pytest.mark.parametrize("caller", ["stage", "publish"])
def test_a_lost_answer_runs_nothing_twice(story: Story, caller: str) -> None:
    """The function is ended when it has submitted, and called again."""
    place = next_call(story, caller, "redshift-data.BatchExecuteStatement")
    fault = story.world.boundary.arm(place, "killed-after")
    load_of(story, log(A, Event()))
    assert fault.struck
    assert (ran(story, "COPY sparkify_loader.event_stage"), ran(story, "LOCK")) == (1, 1)


@pytest.mark.parametrize(
    "beginning", ["COPY sparkify_loader.event_stage", "INSERT INTO sparkify.users"]
)
def test_a_conflict_is_tried_again_and_not_reported(story: Story, beginning: str) -> None:
    """With a token of its own: the first one's is answered with the first one's failure."""
    next_statement(story, beginning, "conflicts")
    load_of(story, log(A, Event()))
    assert ran(story, beginning) == 2


def test_publishing_twice_changes_nothing(story: Story) -> None:
    """A load is stopped when its publish has been submitted, and goes on when the Data API has forgotten it."""
    story.world.warehouse.slow = True
    when_entering(story, "Published?", stop)
    file = log(A, Event())
    story.model.put(file)
    story.world.upload(file.key, file.body)
    story.world.work()
    assert last(story).status == "ABORTED"
    story.world.executions.at_state = lambda _execution, _state: None
    story.wait(days=2)
    assert story.world.redrive(last(story)).status == "SUCCEEDED"
    assert ran(story, "LOCK") == 2
    story.world.check(all_loaded(story))
    assert count_of(story, f"loads WHERE load_id = '{load_id_of(last(story))}'") == 1


def test_the_same_attempt_published_again_changes_nothing(story: Story) -> None:
    """The function is killed when it has submitted; hours later it is called again, and the Data API knows the token no
    more. The attempt does not know of an earlier one: the transaction sees what that left.
    """
    place = next_call(story, "publish", "redshift-data.BatchExecuteStatement")
    story.world.boundary.arm(place, "killed-after")

    with before_call(story, place_after(place, 1), lambda: story.world.clock.advance(9 * 3600)):
        load_id = load_of(story, log(A, Event()), songs(S, Song()))
    log_data, song_data = (
        f"load_id = '{load_id}' AND dataset = '{d}'" for d in ("log_data", "song_data")
    )
    assert ran(story, "LOCK") == 4  # the first twice, once more after it was refused, and the other
    for dataset in (log_data, song_data):
        assert count_of(story, f"loads WHERE {dataset}") == 1
        assert count_of(story, f"files WHERE {dataset}") == 1
    for versions in ("user_versions", "song_versions"):
        assert count_of(story, f"{versions} WHERE load_id = '{load_id}'") == 1
    doubled = "SELECT name FROM sparkify.check_results GROUP BY load_id, batch, checked, name HAVING COUNT(*) > 1"
    assert story.world.warehouse.query(doubled) == [[]]


def test_a_publish_that_is_sent_twice_fails_the_second_time(story: Story) -> None:
    """The very same statements, with another token."""
    sent: list[tuple[dict[str, Any], Principal]] = []
    warehouse = story.world.warehouse
    call = warehouse._call

    def calling(name: str, request: dict[str, Any], who: Principal) -> dict[str, Any]:
        if name == "BatchExecuteStatement" and " publish " in request.get("StatementName", ""):
            sent.append((request, who))
        return call(name, request, who)

    with mock.patch.object(warehouse, "_call", calling):
        load_of(story, log(A, Event()))
    ((publish, loader),) = sent
    before = Ledger(story.world).rows
    again = {**publish, "ClientToken": "another", "WaitTimeSeconds": 30}
    ended = call(
        "DescribeStatement", {"Id": call("BatchExecuteStatement", again, loader)["Id"]}, loader
    )
    assert ended["Status"] == "FAILED"
    assert "again: this batch is published already" in ended["Error"]
    assert Ledger(story.world).rows == before
    story.settle()


def test_a_check_that_leaves_no_row_publishes_nothing(story: Story) -> None:
    """One with a GROUP BY, where nothing is wrong."""
    names = {**NAMES, "load_id": "20260101-000000-00000000", "batch": "0"}
    one_row = sql.Fragment(
        "SELECT 'published' AS checked, 'one' AS name, 1 AS figure, 1 AS expected, 'd' AS definition"
    )
    taken = sql.render("publish/check_results.sql", {**names, "checks": one_row})
    for expected, error in (("1", ""), ("2", "check results: figure 1, expected 2")):
        guard = sql.render("publish/guard.sql", {**names, "check_count": expected})
        undone = f"DELETE FROM sparkify.check_results WHERE load_id = '{names['load_id']}'"
        with pytest.raises(AssertionError, match=error) if error else nullcontext():
            story.world.warehouse.execute(*taken, *guard, undone)


def test_a_check_that_fails_publishes_nothing(story: Story) -> None:
    """Somebody has doubled a user by hand."""
    by_hand(story, "INSERT INTO sparkify.users SELECT * FROM sparkify.users WHERE user_id = 4")
    story.world.upload(A, log(A, Event()).body)
    story.world.work()
    assert last(story).status == "FAILED"
    assert "users_unique" in last(story).report["cause"]
    assert count_of(story, "songplays") == 2
    assert status_of(story, log(A, Event())) is None


def test_a_batch_that_fails_does_not_stop_the_others() -> None:
    with new_world(parameters={"BatchFiles": "1"}) as world:
        story = Story(world, print, lambda _: None)
        next_statement(story, "INSERT INTO sparkify.users", "fails")
        files = [log(A, Event()), log(B, Event(item=1)), log(C, Event(item=2))]
        story.load(files)
        assert last(story).status == "FAILED"
        assert [status_of(story, file) for file in files] == [None, "loaded", "loaded"]
        world.sweep()
        world.work()
        world.check(all_loaded(story))


def test_what_a_failed_sweep_saw_is_the_next_ones(story: Story) -> None:
    next_statement(story, "INSERT INTO sparkify.users", "fails")
    story.world.sweep()
    story.load([log(A, Event())], unheard=True)
    story.world.sweep()
    story.load()
    assert last(story).status == "FAILED"
    story.world.sweep()
    story.load()
    story.world.check(all_loaded(story))


def test_the_sweep_ends_what_a_failed_load_left_running(story: Story) -> None:
    """COPY runs on when its load has failed: the load was not allowed to look at its statement any more."""
    warehouse = story.world.warehouse
    hangs = next_statement(
        story, "COPY sparkify_loader.event_stage", Fault("delay", sql=".", seconds=30)
    )
    describes = next_call(story, "stage", "redshift-data.DescribeStatement")
    story.world.boundary.arm(describes, "refused")
    warehouse.slow = True

    def soon(_: Execution) -> None:
        assert hangs.wait(30)
        warehouse.slow = False

    when_entering(story, "Finish failed load", soon)
    file = log(A, Event())
    story.model.put(file)
    story.world.upload(file.key, file.body)
    story.world.work()
    assert (last(story).status, warehouse.running()) == ("FAILED", 1)
    story.world.boundary.lift()
    story.settle()


def test_a_stopped_load_that_hangs_does_not_block_the_others(story: Story) -> None:
    """Its publish transaction has the LOCK; the next sweep cancels it."""
    story.load([log(B, Event(item=1))], unheard=True)
    stop_hanging(story, "INSERT INTO sparkify.songplays", "Published?", lambda: put(story, A))
    story.world.sweep()
    story.world.work()
    assert cancelled(story)
    story.settle()


def test_a_stopped_undo_that_hangs_does_not_block_the_others(story: Story) -> None:
    undone = load_of(story, log(A, Event()))

    def undo() -> None:
        story.world.start({"undo": undone})

    stop_hanging(story, "DELETE FROM sparkify.time", "Undone?", undo)
    story.load([log(B, Event(item=1))], unheard=True)
    story.world.sweep()
    story.world.work()
    assert cancelled(story)
    story.settle()


def put(story: Story, key: str) -> None:
    file = log(key, Event())
    story.model.put(file)
    story.world.upload(file.key, file.body)


def stop_hanging(story: Story, beginning: str, state: str, begin: Callable[[], None]) -> None:
    """What begins here hangs at a statement (for seconds, that a failed test may end), and a person stops it."""
    world = story.world
    hangs = next_statement(story, beginning, Fault("delay", sql=".", seconds=30))
    world.warehouse.slow = True
    when_entering(story, state, stop)
    begin()
    world.work()
    assert hangs.wait(30)
    assert (last(story).status, world.warehouse.running()) == ("ABORTED", 1)
    world.warehouse.slow = False
    world.executions.at_state = lambda _execution, _state: None


def cancelled(story: Story) -> bool:
    calls = story.world.boundary.calls
    return any(call.action == "redshift-data:CancelStatement" for call in calls)


# -- undo ------------------------------------------------------------------------------------


def test_undo_puts_back_what_the_load_had_replaced(story: Story) -> None:
    load_of(story, log(A, Event(title="B"), Event(item=1, title="A"), Event(user=2, name="Old")))
    load_of(story, songs(S, Song("SO1", title="B"), Song("SO5", title="A")))
    later = load_of(
        story,
        log(B, Event(title="A"), Event(user=2, at=DAY, name="New")),
        songs(T, Song("SO1", title="A", artist_id="AR2"), Song("SO4", title="A")),
    )
    assert start(story, {"undo": later})["status"] == "undone"
    assert count_of(story, "songplays") == 5


def test_undo_of_a_load_that_others_depend_on_is_refused(story: Story) -> None:
    earlier = load_of(story, log(A, Event(), Event(item=1)))
    later = load_of(story, log(B, Event(item=1)))
    before = Ledger(story.world).rows
    report = start(story, {"undo": earlier})
    assert report["status"] == "failed"
    assert f"{later} (1 rows)" in report["cause"]
    assert "Undo these first" in report["cause"]
    assert Ledger(story.world).rows == before
    assert start(story, {"undo": later})["status"] == "undone"
    assert start(story, {"undo": earlier})["status"] == "undone"
    assert count_of(story, "songplays") == 2


def test_undo_is_refused_if_a_load_that_depends_on_it_is_published_meanwhile(story: Story) -> None:
    """Undo has looked, and nothing stood against it."""
    earlier = load_of(story, log(A, Event()))
    later = log(B, Event(), Event(item=1))
    story.model.put(later)

    def load() -> None:
        story.world.upload(later.key, later.body)
        story.world.work()

    looked = next_call(story, "undo", "redshift-data.BatchExecuteStatement")
    with before_call(story, place_after(looked, 2), load):  # the ledger, the rows, the transaction
        report = start(story, {"undo": earlier})
    assert (report["status"], status_of(story, later)) == ("failed", "loaded")
    assert count_of(story, "songplays") == 4


def test_undo_takes_a_batch_too_that_is_published_when_it_has_looked() -> None:
    """It has seen one batch of the load, and the range of its plays; the other one's are a day later."""
    with new_world(parameters={"BatchFiles": "1"}) as world:
        story = Story(world, print, lambda _: None)
        first, second = log(A, Event()), log(B, Event(at=DAY))
        when_entering(story, "Publish", stop, time=2)
        for file in (first, second):
            world.upload(file.key, file.body)
            story.model.put(file)
        world.work()
        stopped = last(story)
        assert (stopped.status, status_of(story, first)) == ("ABORTED", "loaded")
        world.executions.at_state = lambda _execution, _state: None
        looked = next_call(story, "undo", "redshift-data.BatchExecuteStatement")
        with before_call(story, place_after(looked, 2), lambda: redriven(world, stopped)):
            report = start(story, {"undo": load_id_of(stopped)})
        assert (report["status"], report["undo"]["files"]) == ("undone", 2)
        assert [status_of(story, file) for file in (first, second)] == ["withdrawn"] * 2
        assert count_of(story, "songplays") == 2
        assert count_of(story, "time") == 1


def redriven(world: World, execution: Execution) -> None:
    assert world.redrive(execution).status == "SUCCEEDED"


def place_after(place: Place, calls: int) -> Place:
    """The place of a later call of the same operation by the same caller."""
    return Place(place.caller, place.operation, place.number + calls)


@every_isolation
@every_snapshot
def test_undo_and_a_load_at_once(isolation: Isolation, snapshot_at: SnapshotAt) -> None:
    """The load finds an event to be there already, when undo has looked for such loads and begins to take it out."""
    with new_world(isolation, snapshot_at=snapshot_at) as world:
        story = Story(world, print, lambda _: None)
        earlier = load_of(story, log(A, Event()))
        with the_other_first(world, before="DELETE FROM sparkify.check_results", undo=True):
            story.load_at_once([log(B, Event(), Event(user=2))], [{"undo": earlier}])
        story.settle()


def test_a_load_that_is_undone_while_it_runs_publishes_nothing_more() -> None:
    with new_world(parameters={"BatchFiles": "1"}) as world:
        story = Story(world, print, lambda _: None)
        first, second = log(A, Event()), log(B, Event(item=1))

        def undo(execution: Execution) -> None:
            world.executions.at_state = lambda _execution, _state: None
            world.executions.run(world.start({"undo": load_id_of(execution)}))

        for file in (first, second):
            world.upload(file.key, file.body)
            story.model.put(file)
        when_entering(story, "Publish", undo, time=2)
        world.work()
        assert [e.report["status"] for e in world.executions.all[-2:]] == ["failed", "undone"]
        assert (status_of(story, first), status_of(story, second)) == ("withdrawn", None)


def test_a_withdrawn_file_is_loaded_again_by_its_key_and_not_otherwise(story: Story) -> None:
    file = log(A, Event())
    undone = load_of(story, file)
    assert start(story, {"undo": undone})["status"] == "undone"
    story.tell_again(0, 1)
    load_of(story, log(B, Event(item=1)))  # SQS hands out both events together
    assert status_of(story, file) == "withdrawn"
    assert start(story, {})["files"]["loaded"] == 0
    assert start(story, {"keys": [A]})["files"]["loaded"] == 1
    assert status_of(story, file) == "loaded"
    assert count_of(story, "songplays") == 4


@contextmanager
def before_call(story: Story, place: Place, do: Callable[[], None]) -> Iterator[None]:
    """Does something before the call at a place is made."""
    boundary = story.world.boundary
    record = boundary.record

    def at_call(*arguments: Any, **named: Any) -> Call:
        call = record(*arguments, **named)
        if call.place == place:
            do()
        return call

    with mock.patch.object(boundary, "record", at_call):
        yield


@contextmanager
def the_other_first(world: World, before: str, *, undo: bool = False) -> Iterator[None]:
    """Of two transactions at the same time, the one that first comes to a statement of this beginning waits there until
    the other has ended, or has to wait too. With ``undo`` only the transaction of an undo waits.
    """
    came: set[str] = set()  # the transactions' threads
    undoing: set[str] = set()
    waits = False
    changed = threading.Condition()
    of_statement = world.warehouse.faults.of_statement

    def at_statement(sql: str) -> Any:
        nonlocal waits
        me = threading.current_thread().name
        with changed:
            if me in came or _BEGINS.match(sql):
                came.add(me)
                changed.notify_all()
            here = sql.startswith(before) and (me in undoing if undo else me in came)
            if "AS refused" in sql:
                undoing.add(me)
            if here and not waits:
                waits = True
                changed.wait_for(lambda: len(came) > 1, timeout=5)
                while changed.wait(_STUCK):
                    pass
        return of_statement(sql)

    with mock.patch.object(world.warehouse.faults, "of_statement", at_statement):
        yield


_STUCK = (
    0.5  # seconds after which a transaction that has begun no other statement waits for something
)
# The first statement of a transaction that publishes or undoes, in the product or in a mutant.
_BEGINS = re.compile(
    r"LOCK|UPDATE \S+\.publish_lock\b|DELETE FROM \S+\.files\b|SELECT.* AS refused", re.DOTALL
)
