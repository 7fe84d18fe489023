"""A deployment over an earlier version, whose warehouse and buckets are as that version left them: the data stay, and
loading goes on exactly once.

Version 1 of the tables could not undo; version 2 had all its tables in one schema, the lock and the staging tables too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loader import sql
from loader.migrations import latest_version

from tests.upgrade.recorded import (
    DAY,
    DAY_1,
    DAY_2,
    LOADED,
    MENDED,
    PART_1,
    PART_5,
    REJECTED,
    SONGS,
    Recorded,
)
from tests.world import oracle
from tests.world.executions import Execution
from tests.world.files import Event, File, Song
from tests.world.simulator import Expected, Memory, World, load_id_of
from tests.world.trees import with_contracts

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = [
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),
    # In one of pytest's workers: what these tests share is prepared once.
    pytest.mark.xdist_group("upgrade"),
]

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


# Of a load that was stopped before the upgrade: the staging tables of its batches.
STAGED = {
    f"{parent}_stage_20260228_100000_0123abcd_{n}_0" for n, parent in enumerate(("event", "song"))
}


@pytest.fixture(scope="module", params=[PART_1, PART_5], ids=lambda found: found.folder.name)
def recorded(request: pytest.FixtureRequest) -> Recorded:
    """What that version left."""
    found: Recorded = request.param
    return found


@pytest.fixture(scope="module")
def memory(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Memory:
    return recorded.memory(tmp_path_factory.mktemp(recorded.folder.name) / "warehouse")


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


def rows_of(world: World, recorded: Recorded) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of that version's tables, by its columns."""
    found = {}
    for table, rows in recorded.rows.items():
        if not rows:
            continue
        ordered = f"SELECT {', '.join(rows[0])} FROM sparkify.{table}"
        (found[table],) = world.warehouse.query(ordered)
    return {table: sorted(rows, key=repr) for table, rows in found.items()}


def load_that_has(recorded: Recorded, file: File) -> str:
    """The id of that version's load under which the file is loaded."""
    rows = recorded.rows["files"]
    (found,) = [r["load_id"] for r in rows if r["key"] == file.key and r["status"] == "loaded"]
    return str(found)


def test_what_that_version_left_is_what_this_test_begins_with(
    world: World, recorded: Recorded
) -> None:
    assert version(world) == recorded.version == {PART_1: 1, PART_5: 2}[recorded] < latest_version()
    left = {
        table: sorted((tuple(row.values()) for row in rows), key=repr)
        for table, rows in recorded.rows.items()
        if rows
    }
    assert rows_of(world, recorded) == left
    check(world, OLD)


def test_a_migration_that_has_run_somewhere_is_never_edited(recorded: Recorded) -> None:
    """But for a LOCK in front, which changes no table. The first became the baseline."""
    kept = {name: text for name, text in recorded.migrations.items() if name != "001_create.sql"}
    assert len(kept) == recorded.version - 1
    for name, text in kept.items():
        now = sql.statements((sql.ROOT / "migrations" / name).read_text(encoding="utf-8"))
        lock = [statement for statement in now if statement.endswith("LOCK ${schema}.publish_lock")]
        assert len(lock) <= 1
        assert [bare(s) for s in now if s not in lock] == [bare(s) for s in sql.statements(text)]


def bare(statement: str) -> str:
    """Without the comments in front."""
    return re.sub(r"\A(--[^\n]*\n|\s)+", "", statement)


@pytest.fixture(scope="module")
def new_tables(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """The tables of a warehouse that had none."""
    with World(tmp_path_factory.mktemp("new") / "warehouse") as new:
        load(new, NEW)
        return defined(new)


def test_the_upgraded_tables_are_those_of_a_new_warehouse(
    new_tables: list[tuple[Any, ...]], world: World
) -> None:
    load(world, NEW)
    assert defined(world) == new_tables
    assert {row[1] for row in new_tables} >= {"publish_lock", "event_stage", "songplays"}
    for table, rows in (("publish_lock", 1), ("event_stage", 0), ("song_stage", 0)):
        (found,) = world.warehouse.query(f"SELECT COUNT(*) FROM sparkify_loader.{table}")
        assert found == [(rows,)], table


def defined(world: World) -> list[tuple[Any, ...]]:
    """Every column of both schemas, in its place. A default of IDENTITY names the table by its number."""
    (columns,) = world.warehouse.query(
        "SELECT schema_name, table_name, ordinal_position, column_name, data_type, column_default,"
        " is_nullable, distkey, sortkey FROM svv_redshift_columns WHERE schema_name LIKE 'sparkify%'"
    )
    bare = ((*row[:5], re.sub(r"\(\d+,", "(", row[5] or ""), *row[6:]) for row in columns)
    return sorted(bare, key=repr)


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


@pytest.mark.parametrize("document", [{"migrate": True}, {}], ids=["alone", "nothing to load"])
def test_the_tables_are_upgraded_without_a_file(world: World, document: Any) -> None:
    """A dry run only says that they are old, as far as tables of that version can be asked."""
    for asked in ({"dry_run": True}, document, {"migrate": True}):
        execution = world.start(asked)
        world.work()
        assert execution.status == "SUCCEEDED", execution.report
        tables: dict[str, int] = execution.report.get("tables", {})
        if asked == {"dry_run": True}:
            assert not tables or tables["from"] == tables["to"] < latest_version()
        elif asked is document:
            assert execution.report["status"] in ("migrated", "nothing to load")
            assert execution.report["files"]["loaded"] == 0
            assert tables["from"] < tables["to"] == tables["latest"] == latest_version()
    assert tables == dict.fromkeys(("from", "to", "latest"), latest_version())


def test_nothing_of_what_that_version_loaded_is_loaded_again(
    world: World, recorded: Recorded
) -> None:
    before = rows_of(world, recorded)
    for file in (*LOADED, REJECTED):
        world.upload(file.key, file.body)
    world.work()
    assert start(world, {}).report["status"] == "nothing to load"
    world.settle()
    after = rows_of(world, recorded)
    for table in before.keys() - {
        *("schema_version", "files", "loads", "check_results", "load_figures")
    }:
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


@pytest.mark.parametrize("recorded", [PART_1], indirect=True, ids=["part1"])
def test_undo_of_a_load_of_that_version_is_refused_with_the_reason(
    world: World, recorded: Recorded
) -> None:
    """The look is the first that this version asks of the warehouse: it upgrades, too."""
    for load_id in {row["load_id"] for row in recorded.rows["loads"]}:
        execution = start(world, {"undo": load_id})
        assert execution.status == "FAILED"
        reason = f"load {load_id} was published by a version without undo"
        assert reason in execution.report["cause"]
    assert version(world) == latest_version()
    check(world, OLD)


@pytest.mark.parametrize("recorded", [PART_5], indirect=True, ids=["part5"])
def test_undo_of_a_load_of_a_version_that_could_undo(world: World, recorded: Recorded) -> None:
    """A load with songs and plays; one that another depends on; that other one. In the end nothing is left of them."""
    kept = dict(OLD)
    mended = load_that_has(recorded, MENDED)
    execution = start(world, {"undo": mended})
    assert execution.status == "SUCCEEDED", execution.report["cause"]
    assert version(world) == latest_version()
    del kept[MENDED.key]
    check(world, kept)
    refused = start(world, {"undo": load_that_has(recorded, DAY_1)})
    assert refused.status == "FAILED"
    assert f"{load_that_has(recorded, DAY_2)} (" in refused.report["cause"]
    check(world, kept)
    for file in (DAY_2, DAY_1, SONGS):
        execution = start(world, {"undo": load_that_has(recorded, file)})
        assert execution.status == "SUCCEEDED", (file.key, execution.report["cause"])
        del kept[file.key]
        check(world, kept)
    assert start(world, {"keys": [DAY_1.key]}).status == "SUCCEEDED"
    check(world, {DAY_1.key: DAY_1.body})


def test_undo_of_a_load_of_this_version_gives_back_what_that_version_had(world: World) -> None:
    """A user's newer level, a song for plays that waited."""
    new = load_id_of(load(world, NEW))
    execution = start(world, {"undo": new})
    assert execution.status == "SUCCEEDED", execution.report
    assert execution.report["undo"]["files"] == 2
    world.settle()
    check(world, OLD)


def test_reload_of_a_file_of_that_version_replaces_its_rows(
    world: World, recorded: Recorded
) -> None:
    execution = start(world, {"reload": True, "keys": [DAY_2.key]})
    assert execution.status == "SUCCEEDED", execution.report
    check(world, OLD)
    # The event that both have stands under the reload now: without it day 1's file would miss it.
    refused = start(world, {"undo": load_id_of(execution)})
    assert refused.status == "FAILED"
    assert load_that_has(recorded, DAY_1) in refused.report["cause"]
    check(world, OLD)


def test_reset_after_the_upgrade_loads_all_anew(world: World) -> None:
    load(world, NEW)
    assert start(world, {"reset": True}).status == "SUCCEEDED"
    assert start(world, {}).status == "SUCCEEDED"
    check(world, OLD | NEW)


def test_staging_tables_that_were_left_in_the_old_schema_are_found_and_dropped(
    recorded: Recorded, tmp_path: Path
) -> None:
    """By the load that a sweep starts: they are older than any load that runs."""
    made = [
        f"CREATE TABLE ${{schema}}.{name} (LIKE ${{schema}}.{name.partition('_2')[0]})"
        for name in sorted(STAGED)
    ]
    left = recorded.memory(tmp_path / "left", made)
    with World(tmp_path / "warehouse", memory=left) as world:
        assert world.warehouse.tables() >= STAGED
        world.upload(NEWER.key, NEWER.body, event=False)
        world.sweep()
        world.work()
        assert not world.warehouse.tables() & STAGED
        check(world, OLD | {NEWER.key: NEWER.body})


def test_a_contract_that_comes_with_this_version(
    memory: Memory, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its tables are made by the load that upgrades the others, and the ledger has its contract."""
    folder = tmp_path_factory.mktemp("contract")
    text = "description: R\nfiles: readings/*.csv\ncolumns: {device: varchar(8), value: integer}\n"
    tree = with_contracts(folder / "tree", {"readings": text})
    with World(folder / "warehouse", tree=tree, memory=memory) as world:
        world.upload("readings/1.csv", b"device,value\na,1\n")
        load(world, NEW)
        assert version(world) == latest_version()
        (found,) = world.warehouse.query("SELECT device, value FROM sparkify.readings")
        assert found == [("a", 1)]
        (found,) = world.warehouse.query("SELECT dataset, number FROM sparkify.contracts")
        assert found == [("readings", 1)]
        assert oracle.diff(Expected.of(OLD | NEW).tables, world.warehouse.star()) == ""
