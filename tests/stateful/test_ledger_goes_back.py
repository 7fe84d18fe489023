"""The warehouse is not the one that it was: restored, renamed, dropped, another one. Nothing is forgotten for it, and
what is told of it is told once. See also the case ../shared/cases/02-schema-changed-sweep-silent, if it is there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.stateful.model import Ledger, etag_of
from tests.stateful.story import Story
from tests.stateful.test_scenarios import all_loaded, by_hand, last, load_of, log, start
from tests.stateful.worlds import FIRST, begun, new_world, statements_kept_by_its_clock
from tests.world.executions import Execution
from tests.world.files import DAY, Event, File
from tests.world.simulator import Expected, Memory, World, load_id_of

# In one of pytest's workers: what these tests share is prepared once.
pytestmark = pytest.mark.xdist_group("ledger goes back")

# Nobody's row depends on another file, so that a restore is the load's own rows.
BEFORE = [
    log(f"log_data/before{n}.json", Event(user=50 + n, session=n, at=(n + 1) * DAY))
    for n in range(3)
]
AFTER = log("log_data/after.json", Event(user=9, session=9))
# What a restore of an older snapshot takes away of a load; the star schema's rows are the load's own.
TABLES = (
    *("songplays", "users", "songs", "artists", "time", "user_versions", "song_versions"),
    *("songplay_versions", "files", "loads", "check_results", "left_out", "load_figures"),
)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> tuple[Story, Memory]:
    """Three files, each loaded by its event, and a sweep has seen them all."""
    world = World(tmp_path_factory.mktemp("before") / "warehouse", memory=begun())
    with statements_kept_by_its_clock(world):
        story = Story(world, print, lambda _: None)
        for file in BEFORE:
            load_of(story, file)
        story.settle()
    return story, world.remember()


@pytest.fixture
def settled(before: tuple[Story, Memory]) -> Iterator[Story]:
    """That story, in a world of this test's own."""
    story, memory = before
    with new_world(memory=memory) as world:
        yield story.continued_in(world)


def sweep(story: Story) -> list[Execution]:
    """The next sweep, and the loads that it started."""
    known = len(story.world.executions.all)
    story.world.sweep()
    story.world.work()
    return story.world.executions.all[known:]


def mark_of(world: World) -> dict[str, Any]:
    body = world._s3.get_object(Bucket=world.stack.work_bucket, Key="sweep/mark.json")["Body"]
    document: dict[str, Any] = json.loads(body.read())
    return document


def restore(story: Story, *load_ids: str) -> None:
    """The warehouse is as it was before these loads."""
    for load_id in load_ids:
        for table in TABLES:
            by_hand(story, f"DELETE FROM sparkify.{table} WHERE load_id = '{load_id}'")


def drop(story: Story) -> None:
    by_hand(story, "DROP SCHEMA sparkify CASCADE")


def drop_both(story: Story) -> None:
    drop(story)
    by_hand(story, "DROP SCHEMA sparkify_loader CASCADE")


def newest_lost(story: Story) -> None:
    restore(story, *Ledger(story.world).loads()[-1:])


def oldest_lost(story: Story) -> None:
    restore(story, Ledger(story.world).loads()[0])


# A schema that was renamed is to the loader one that was dropped.
GONE = [drop, drop_both, newest_lost, oldest_lost]


@pytest.mark.parametrize("goes", GONE, ids=lambda goes: goes.__name__)
def test_the_next_load_sees_that_the_ledger_went_back(
    settled: Story, goes: Callable[[Story], None]
) -> None:
    """Its report says so, and the sweep after it loads what the ledger does not know any more."""
    goes(settled)
    settled.load((AFTER,))
    report = last(settled).report
    assert report["status"] == "loaded"
    assert report["files"]["loaded"] == 1
    assert report["sweep_mark"].startswith("The ledger ")
    assert sorted(mark_of(settled.world)) == ["at", "void"]
    [load] = sweep(settled)
    assert load.report["files"]["loaded"] >= 1
    assert "sweep_mark" not in load.report
    settled.world.check(all_loaded(settled))
    assert sweep(settled) == []


@pytest.mark.parametrize("goes", [drop, oldest_lost], ids=lambda goes: goes.__name__)
def test_without_any_load_it_is_seen_within_a_day(
    settled: Story, goes: Callable[[Story], None]
) -> None:
    """The sweep starts a load that only looks, and the next one loads what is lost."""
    goes(settled)
    begun = settled.world.clock.now()
    started: list[Execution] = []
    while not started:
        started = sweep(settled)
        assert settled.world.clock.now() - begun < timedelta(hours=26)
    assert started[0].report["status"] == "nothing to load"
    assert started[0].report["sweep_mark"].startswith("The ledger ")
    [load] = sweep(settled)
    assert load.report["files"]["loaded"] >= 1
    settled.world.check(all_loaded(settled))


def test_a_quiet_ledger_is_looked_at_once_a_day_and_never_else(settled: Story) -> None:
    looks = 0
    for _ in range(49):
        sent = len(settled.world.warehouse.faults.ran)
        if started := sweep(settled):
            looks += 1
            assert started[0].report["status"] == "nothing to load"
            assert "sweep_mark" not in started[0].report
        else:
            assert len(settled.world.warehouse.faults.ran) == sent
    assert looks in (1, 2)


def test_a_load_of_many_batches_does_not_hide_what_was_lost(settled: Story) -> None:
    """It brings as many rows of the table loads as the restore has taken, and more."""
    newest_lost(settled)
    more = [log(f"log_data/more{n}.json", Event(user=7, session=n)) for n in range(3)]
    zipped = log("log_data/more.json.gz", Event(user=7, session=7))
    settled.load((*more, zipped))  # plain and zipped are batches of their own
    assert last(settled).report["files"]["loaded"] == 4
    assert last(settled).report["sweep_mark"].startswith("The ledger went back")
    sweep(settled)
    settled.world.check(all_loaded(settled))


def test_what_came_after_the_last_sweep_and_is_lost_is_found_by_the_next(settled: Story) -> None:
    """The mark knows nothing of it, and stays as it is."""
    load_of(settled, AFTER)
    newest_lost(settled)
    [load] = sweep(settled)
    assert load.report["files"]["loaded"] == 1
    assert "sweep_mark" not in load.report
    settled.world.check(all_loaded(settled))


def test_a_dry_run_tells_of_it_too(settled: Story) -> None:
    newest_lost(settled)
    report = start(settled, {"dry_run": True})
    assert report["plan"]["planned"] == 1
    assert report["sweep_mark"].startswith("The ledger went back")


def test_a_reset_is_a_ledger_of_its_own(settled: Story) -> None:
    assert start(settled, {"reset": True})["status"] == "reset"
    settled.model.reset()
    assert mark_of(settled.world)["void"] == "The tables were reset."
    [load] = sweep(settled)
    assert load.report["files"]["loaded"] == len(settled.model.current)
    settled.world.check(all_loaded(settled))


def test_an_undone_load_stays_undone_when_all_files_are_looked_at(settled: Story) -> None:
    """It is the ledger that says so, and not the mark."""
    first = load_of(settled, AFTER)
    assert start(settled, {"undo": first})["status"] == "undone"
    settled.settle()
    newest_lost(settled)
    settled.load((log("log_data/later.json", Event(user=8, session=8)),))
    assert "sweep_mark" in last(settled).report
    [load] = sweep(settled)
    assert load.report["known"]["withdrawn"] == 1
    assert load.report["files"]["loaded"] == 1


def test_another_schema_and_back(settled: Story) -> None:
    """Seen by the sweep itself, from the stack's parameters: case 02."""
    world = settled.world
    files = len(settled.model.current)
    deployed = dict(world.stack.functions)
    for schema, loaded in (("another", files), ("sparkify", 0)):
        for arn, found in deployed.items():
            environment = {**found.environment, "SCHEMA_NAME": schema}
            world.stack.functions[arn] = replace(found, environment=environment)
        [load] = sweep(settled)
        assert load.report["files"]["loaded"] == loaded, load.report
        assert load.report["files"]["known"] == files - loaded
        assert mark_of(world)["place"]["schema"] == schema
        assert sweep(settled) == []


def redo_of(story: Story, load_id: str, **more: Any) -> dict[str, Any]:
    return start(story, {"redo": load_id, **more})


def test_an_undone_load_is_loaded_again(settled: Story) -> None:
    """Its files as they are now; what is gone is named, and a second time nothing is left to do."""
    files = [log(f"log_data/redo{n}.json", Event(user=9, session=n)) for n in range(3)]
    load_id = load_of(settled, *files)
    assert "was not undone" in redo_of(settled, load_id)["cause"]
    assert start(settled, {"undo": load_id})["status"] == "undone"
    told = start(settled, {"dry_run": True})
    assert (told["plan"]["planned"], told["known"]["withdrawn"]) == (0, 3)
    planned = redo_of(settled, load_id, dry_run=True)
    assert (planned["status"], planned["plan"]["planned"]) == ("planned", 3)
    changed = log(files[1].key, Event(user=9, session=1), Event(user=9, session=1, item=1))
    settled.delete(files[0].key)
    settled.load((changed,), unheard=True)
    report = redo_of(settled, load_id)
    assert (report["status"], report["files"]["loaded"]) == ("loaded", 2)
    assert report["redo"] == load_id
    assert report["missing"]["keys"] == [files[0].key]
    ledger = Ledger(settled.world)
    assert ledger.status((files[2].key, etag_of(files[2].body))) == "loaded"
    assert ledger.status((files[1].key, etag_of(changed.body))) == "loaded"
    assert ledger.status((files[1].key, etag_of(files[1].body))) == "withdrawn"
    again = redo_of(settled, load_id)
    assert (again["status"], again["known"]) == ("nothing to load", {"loaded": 2})
    assert "there is no load" in redo_of(settled, "20200101-000000-00000000")["cause"]


def test_a_redo_may_be_undone_and_done_once_more(settled: Story) -> None:
    first = load_of(settled, AFTER)
    for _ in range(2):
        assert start(settled, {"undo": first})["status"] == "undone"
        assert redo_of(settled, first)["files"]["loaded"] == 1
        first = load_id_of(last(settled))


def test_a_table_that_somebody_dropped_is_named(settled: Story) -> None:
    """By the load that misses it, and by the preflight, with what to do: case 23."""
    by_hand(settled, "DROP TABLE sparkify.time")
    with pytest.raises(AssertionError):  # the tables are not those of the ledger
        settled.load((AFTER,))
    report = last(settled).report
    assert report["status"] == "failed"
    assert "sparkify.time is missing" in report["cause"]
    assert "snapshot" in report["cause"]
    execution = settled.world.start({"check": True})
    settled.world.work()
    found = {finding["name"]: finding for finding in execution.report["setup"]}
    assert execution.report["status"] == "failed"
    assert "sparkify.time is missing" in found["tables"]["found"]
    assert "snapshot" in found["tables"]["fix"]


def test_what_holds_no_data_is_put_back(settled: Story) -> None:
    by_hand(settled, "DROP TABLE sparkify_loader.file_plan")
    assert start(settled, {"migrate": True})["status"] == "migrated"
    assert start(settled, {})["status"] == "nothing to load"


@pytest.mark.parametrize("looked", ["by a load", "by the day's look"])
def test_a_snapshot_of_the_whole_warehouse_is_restored(tmp_path: Path, looked: str) -> None:
    """The bucket and all that the loader keeps in S3 stay as they are."""
    first, later = BEFORE[:2], [*BEFORE[2:], AFTER]
    files = [*FIRST, *first]
    snapshot = _lived(World(tmp_path / "1"), files)
    now = _lived(World(tmp_path / "2", memory=snapshot), later)
    restored = replace(now, warehouse=snapshot.warehouse)
    extra = log("log_data/extra.json", Event(user=60, at=9 * DAY))
    files = [*files, *later, *([extra] if looked == "by a load" else [])]
    with World(tmp_path / "3", memory=restored) as world, statements_kept_by_its_clock(world):
        if looked == "by a load":
            world.upload(extra.key, extra.body)
            world.work()
        for _ in range(2 if looked == "by a load" else 28):
            world.sweep()
            world.work()
        [told] = [e.report["sweep_mark"] for e in world.executions.all if "sweep_mark" in e.report]
        assert told.startswith("The ledger went back")
        world.check(Expected.of({file.key: file.body for file in files}))


def _lived(world: World, files: Sequence[File]) -> Memory:
    """The world when it has loaded these files and swept; it has ended then."""
    with statements_kept_by_its_clock(world):
        for file in files:
            world.upload(file.key, file.body)
            world.work()
        world.settle()
    return world.remember()
