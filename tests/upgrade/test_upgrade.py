"""A deployment over an earlier version, whose warehouse and buckets are as that version left them: the data stay, and
loading goes on exactly once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loader import sql
from loader.migrations import latest_version

from tests import oracle
from tests.faults.executions import Execution
from tests.faults.world import Expected, Memory, World, load_id_of
from tests.stateful.files import Event, File, Song
from tests.upgrade.recorded import DAY, DAY_1, DAY_2, LOADED, PART_1, REJECTED

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

NEWER = File(
    "log_data/newer.json",
    (
        Event(user=1, item=0, title="Late"),  # day 1's, once more
        Event(user=2, session=5, at=4 * DAY, level="paid", title="There"),
        Event(user=6, at=4 * DAY, title=None),
    ),
)
LATE = File("song_data/late.json", (Song(id="SO0", title="Late", artist="A"),))
OLD = {file.key: file.body for file in LOADED}
NEW = {file.key: file.body for file in (NEWER, LATE)}


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    return PART_1.memory(tmp_path_factory.mktemp("part1") / "warehouse")


@pytest.fixture
def world(memory: Memory, tmp_path: Path) -> Iterator[World]:
    """The present version, deployed over that one."""
    with World(tmp_path / "warehouse", memory=memory) as found:
        yield found


def load(world: World, files: dict[str, bytes]) -> Execution:
    for key, body in files.items():
        world.upload(key, body)
    world.work()
    execution = world.executions.all[-1]
    assert execution.status == "SUCCEEDED", execution.report
    return execution


def start(world: World, document: Any) -> Execution:
    execution = world.start(document)
    world.work()
    return execution


def check(world: World, files: dict[str, bytes]) -> None:
    """The star schema is that of these files, and each is loaded once; nothing is left behind."""
    assert oracle.diff(Expected.of(files).tables, world.warehouse.star()) == ""
    current, every = world.warehouse.ledger()
    there = world.objects()
    loaded = sorted((key, etag) for key, etag, status, _ in every if status == "loaded")
    assert loaded == sorted((key, there[key]) for key in files)
    assert loaded == sorted((key, etag) for key, etag, status, _ in current if status == "loaded")
    assert not [table for table in world.warehouse.tables() if any(c.isdigit() for c in table)]


def version(world: World) -> int:
    ((row,),) = world.warehouse.query("SELECT MAX(version) FROM sparkify.schema_version")
    return int(row[0])


def rows_of(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of that version's tables, by its columns."""
    found = {}
    for table, rows in PART_1.rows.items():
        ordered = f"SELECT {', '.join(rows[0])} FROM sparkify.{table}"
        (found[table],) = world.warehouse.query(ordered)
    return {table: sorted(rows, key=repr) for table, rows in found.items()}


def load_that_has(file: File) -> str:
    """The id of that version's load under which the file is loaded."""
    rows = PART_1.rows["files"]
    (found,) = [r["load_id"] for r in rows if r["key"] == file.key and r["status"] == "loaded"]
    return str(found)


def test_what_that_version_left_is_what_this_test_begins_with(world: World) -> None:
    assert version(world) == 1 < latest_version()
    recorded = {
        table: sorted((tuple(row.values()) for row in rows), key=repr)
        for table, rows in PART_1.rows.items()
    }
    assert rows_of(world) == recorded
    check(world, OLD)


def test_a_migration_that_has_run_somewhere_is_never_edited() -> None:
    for name, text in PART_1.migrations.items():
        now = (sql.ROOT / "migrations" / name).read_text(encoding="utf-8")
        assert sql.statements(now) == sql.statements(text), name


def test_the_next_load_upgrades_and_keeps_what_is_there(world: World) -> None:
    kept = ("songplay_id, user_id, session_id, item_in_session, start_time", "sparkify.songplays")
    (before,) = world.warehouse.query(f"SELECT {kept[0]} FROM {kept[1]}")
    load(world, NEW)
    assert version(world) == latest_version()
    check(world, OLD | NEW)
    (after,) = world.warehouse.query(f"SELECT {kept[0]} FROM {kept[1]}")
    assert set(before) <= set(after)  # no play was taken out and inserted anew
    world.settle()
    check(world, OLD | NEW)
    assert {e.status for e in world.executions.all} == {"SUCCEEDED"}


def test_nothing_of_what_that_version_loaded_is_loaded_again(world: World) -> None:
    before = rows_of(world)
    for file in (*LOADED, REJECTED):
        world.upload(file.key, file.body)
    world.work()
    assert start(world, {}).report["status"] == "nothing to load"
    world.settle()
    after = rows_of(world)
    for table in before.keys() - {"schema_version", "files", "loads", "check_results"}:
        assert after[table] == before[table], table
    check(world, OLD)
    current, _ = world.warehouse.ledger()
    assert [status for key, _, status, _ in current if key == REJECTED.key] == ["rejected"]


def test_a_file_that_it_had_rejected_loads_once_it_is_mended(world: World) -> None:
    mended = File(REJECTED.key, REJECTED.records)
    load(world, {mended.key: mended.body})
    check(world, OLD | {mended.key: mended.body})
    _, every = world.warehouse.ledger()
    assert sorted(s for key, _, s, _ in every if key == mended.key) == ["closed", "loaded"]


def test_several_loads_meet_at_the_upgrade(world: World) -> None:
    world.queue.group = lambda found: [[message] for message in found]
    for key, body in NEW.items():
        world.upload(key, body)
    world.start({})
    world.work(together=True)
    causes = [e.cause for e in world.executions.all if e.status != "SUCCEEDED"]
    assert not causes
    world.settle()
    assert version(world) == latest_version()
    check(world, OLD | NEW)


def test_undo_of_a_load_of_that_version_is_refused_with_the_reason(world: World) -> None:
    """The look is the first that this version asks of the warehouse: it upgrades, too."""
    for load_id in {row["load_id"] for row in PART_1.rows["loads"]}:
        execution = start(world, {"undo": load_id})
        assert execution.status == "FAILED"
        reason = f"load {load_id} was published before the loader could undo"
        assert reason in execution.report["cause"]
    assert version(world) == latest_version()
    check(world, OLD)


def test_undo_of_a_load_of_this_version_gives_back_what_that_version_had(world: World) -> None:
    """A user's newer level, a song for plays that waited."""
    new = load_id_of(load(world, NEW))
    execution = start(world, {"undo": new})
    assert execution.status == "SUCCEEDED", execution.report
    assert execution.report["undo"]["files"] == 2
    world.settle()
    check(world, OLD)


def test_reload_of_a_file_of_that_version_replaces_its_rows(world: World) -> None:
    execution = start(world, {"reload": True, "keys": [DAY_2.key]})
    assert execution.status == "SUCCEEDED", execution.report
    check(world, OLD)
    # The event that both have stands under the reload now: without it day 1's file would miss it.
    refused = start(world, {"undo": load_id_of(execution)})
    assert refused.status == "FAILED"
    assert load_that_has(DAY_1) in refused.report["cause"]
    check(world, OLD)


def test_reset_after_the_upgrade_loads_all_anew(world: World) -> None:
    load(world, NEW)
    assert start(world, {"reset": True}).status == "SUCCEEDED"
    assert start(world, {}).status == "SUCCEEDED"
    check(world, OLD | NEW)
