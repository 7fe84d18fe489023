"""Twenty datasets beside the two: the Data API takes 40 statements in a batch, however many datasets there are."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakeshift import Fault
from local.states.interpreter import Stopped
from tests.stateful.test_second_dataset import file_of, laid_out, start
from tests.stateful.worlds import FIRST
from tests.world import oracle
from tests.world.executions import Execution
from tests.world.simulator import Memory, World, load_id_of

MANY = 20
NUMBERS = [f"{number:02}" for number in range(MANY)]
LIMITS = {"MaxBatches": "30"}  # all of them in one execution
KEYS = [f"ratings/{number}/a.csv" for number in NUMBERS]
TABLES = [f"ratings_{number}" for number in NUMBERS]

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = [
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),
    # In one of pytest's workers: what these tests share is prepared once.
    pytest.mark.xdist_group("many datasets"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product with twenty datasets: the page's ratings, each under another name."""
    folder = laid_out(tmp_path_factory.mktemp("many") / "tree")
    ratings = folder / "sql" / "datasets" / "ratings"
    files = [path for path in ratings.rglob("*") if path.is_file()]
    texts = {path.relative_to(ratings): path.read_text(encoding="utf-8") for path in files}
    shutil.rmtree(ratings)
    for number in NUMBERS:
        for name, text in texts.items():
            new = re.sub(r"\bratings\b(?!/)", f"ratings_{number}", text)
            new = new.replace("rating_stage", f"rating_stage_{number}")
            new = new.replace("files: ratings/", f"files: ratings/{number}/")
            path = ratings.with_name(f"ratings_{number}") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def loaded(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Memory:
    """A new warehouse, into which one load has loaded a file of each dataset."""
    with World(
        tmp_path_factory.mktemp("loaded") / "warehouse", tree=tree, parameters=LIMITS
    ) as world:
        for key, body in files().items():
            world.upload(key, body, event=False)
        execution = start(world, {})
        assert execution.status == "SUCCEEDED", execution.report
        assert execution.report["files"]["loaded"] == len(files())
        check(world, files())
        return world.remember()


@pytest.fixture
def world(tree: Path, loaded: Memory, tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "warehouse", tree=tree, parameters=LIMITS, memory=loaded) as found:
        yield found


def files() -> dict[str, bytes]:
    of_many = {
        key: file_of(*(f"{n},SO{n},5,2018-11-12 08:00:{n:02}," for n in range(number + 1)))
        for number, key in enumerate(KEYS)
    }
    return {**of_many, **{file.key: file.body for file in FIRST}}


def check(world: World, there: dict[str, bytes]) -> None:
    """The tables are those of these files, and the ledger says so."""
    counts = " UNION ALL ".join(
        f"SELECT '{table}', COUNT(*) FROM sparkify.{table}" for table in TABLES
    )
    (rows,) = world.warehouse.query(counts)
    expected = {
        table: number + 1 if KEYS[number] in there else 0 for number, table in enumerate(TABLES)
    }
    assert dict(rows) == expected
    sparkify = {file.key: file.body for file in FIRST if file.key in there}
    assert oracle.diff(oracle.tables(sparkify), world.warehouse.star()) == ""
    current, _ = world.warehouse.ledger()
    assert sorted(key for key, _, status, _ in current if status == "loaded") == sorted(there)


def first_load(world: World) -> str:
    return load_id_of(world.executions.all[0])


def dataset_of(key: str) -> str:
    parts = key.split("/")
    return f"ratings_{parts[1]}" if parts[0] == "ratings" else parts[0]


def stopped_after(world: World, document: Any, state: str, times: int) -> Execution:
    """Starts an execution that somebody stops when it has come to this state so many times."""
    seen = 0

    def stop(_execution: Execution, name: str) -> None:
        nonlocal seen
        seen += name == state
        if seen == times:
            raise Stopped

    world.executions.at_state = stop
    execution = start(world, document)
    world.executions.at_state = lambda _execution, _state: None
    assert execution.status == "ABORTED"
    return execution


def test_undo_takes_the_rows_of_all_out(world: World) -> None:
    load = first_load(world)
    planned = start(world, {"undo": load, "dry_run": True})
    assert planned.report["undo"]["files"] == len(files())
    undone = start(world, {"undo": load})
    assert undone.status == "SUCCEEDED", undone.report
    assert set(undone.report["undo"]["done"]) == {*TABLES, "log_data", "song_data"}
    assert undone.report["undo"]["files"] == len(files())
    check(world, {})
    again = start(world, {"undo": load})
    assert again.report["status"] == "undone"
    world.settle()
    check(world, {})  # withdrawn: neither a sweep loads them again
    assert start(world, {"keys": KEYS}).status == "SUCCEEDED"
    check(world, {key: files()[key] for key in KEYS})


def test_an_undo_that_was_stopped_is_gone_on_with(world: World) -> None:
    """What is done of it stays done: each dataset is as if the load had not loaded its files."""
    load = first_load(world)
    stopped_after(world, {"undo": load}, "Undone?", 5)
    (rows,) = world.warehouse.query(
        f"SELECT dataset FROM sparkify.undone WHERE load_id = '{load}' ORDER BY dataset"
    )
    done = [dataset for (dataset,) in rows]
    assert done == sorted([*TABLES, "log_data", "song_data"])[:5]
    left = {key: body for key, body in files().items() if dataset_of(key) not in done}
    check(world, left)
    world.settle()
    check(world, left)
    execution = start(world, {"undo": load})
    assert execution.status == "SUCCEEDED", execution.report
    assert execution.report["undo"]["files"] == len(left)
    check(world, {})


def test_a_load_of_which_one_dataset_is_undone_publishes_nothing_more(world: World) -> None:
    """Its log file is staged when somebody has undone its songs, and the undo has not come further yet."""
    late = "log_data/late.json"
    world.upload(late, FIRST[0].body + b" ", event=False)
    stopped = stopped_after(world, {"keys": [late]}, "Publish", 1)
    world.warehouse.execute(
        "INSERT INTO sparkify.undone (load_id, undone_by, execution, dataset)"
        f" VALUES ('{load_id_of(stopped)}', 'another', 'execution', 'song_data')"
    )
    world.redrive(stopped)
    world.work()
    assert stopped.status == "FAILED"
    assert "The load was undone while it ran" in stopped.report["cause"]
    check(world, files())


def test_a_reset_that_died_is_gone_on_with_by_the_next_load(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All is dropped and the ledger is empty; the tables of the datasets were not made."""
    faults = world.warehouse.faults
    healthy = faults.of_statement

    def full(sql: str) -> Fault | None:
        refused = "CREATE TABLE IF NOT EXISTS sparkify.ratings_" in sql
        return Fault("fail", sql=".", message="disk quota") if refused else healthy(sql)

    monkeypatch.setattr(faults, "of_statement", full)
    assert start(world, {"reset": True}).status == "SUCCEEDED"
    monkeypatch.undo()
    assert not {*TABLES, "songplays"} & world.warehouse.tables()
    assert start(world, {}).status == "SUCCEEDED"
    check(world, files())
    assert start(world, {"reset": True}).status == "SUCCEEDED"
    check(world, {})  # with all tables, and nothing in them
