"""The page's orders: a dataset whose files bring newer versions of what is there.

The tables are those of the files that are loaded, whatever is late, loaded again or undone.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.states.interpreter import Stopped
from tests.stateful.test_second_dataset import DOCS, laid_out, load, passed, start
from tests.stateful.worlds import statements_kept_by_its_clock
from tests.world.executions import Execution
from tests.world.simulator import Memory, World, load_id_of

COLUMNS = "order_id, updated_at, status, customer_id, total, coupon_code"
DAY_1, DAY_2 = "orders/2026/11/27.jsonl", "orders/2026/11/28.jsonl"
LATE = "orders/2026/11/late.jsonl"
PAGES = {key: (DOCS / "data" / key).read_bytes() for key in (DAY_1, DAY_2)}
# What the page was taken for: away with all that is known of the order, in with what the file says.
BY_KEY = """-- Runs in a reload.
DELETE FROM ${schema}.order_versions
WHERE order_id IN (SELECT s.order_id FROM ${loader_schema}.${order_stage} AS s);
"""

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = [
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),
    # In one of pytest's workers: what these tests share is prepared once.
    pytest.mark.xdist_group("updated dataset"),
]


def order(number: int, day: int, status: str = "placed", **more: Any) -> dict[str, Any]:
    """A version of an order, updated on a day of November."""
    return {
        "order_id": f"O-{number}",
        "updated_at": f"2026-11-{day:02}T09:00:00Z",
        "status": status,
        "customer": {"id": number},
        "total": 10.5,
        **more,
    }


def body(*orders: dict[str, Any]) -> bytes:
    return "".join(f"{json.dumps(each)}\n" for each in orders).encode()


Row = tuple[Any, ...]


def rows_of(files: Mapping[str, bytes]) -> list[Row]:
    """The winner of each order's versions in these files, in plain Python: the newest, then the smaller."""
    versions: dict[str, list[Row]] = {}
    for text in files.values():
        for line in text.splitlines():
            found = json.loads(line)
            time = found["updated_at"].replace("T", " ").rstrip("Z")
            coupon = (found.get("coupon") or {}).get("code")
            total = f"{found['total']:.2f}"
            row = (found["order_id"], time, found["status"], found["customer"]["id"], total, coupon)
            versions.setdefault(found["order_id"], []).append(row)
    newest = {key: max(row[1] for row in rows) for key, rows in versions.items()}
    of_newest = ([r for r in rows if r[1] == newest[key]] for key, rows in versions.items())
    return sorted(min(rows, key=lambda row: (row[2], row[3])) for rows in of_newest)


def orders(world: World) -> list[Row]:
    (rows,) = world.warehouse.query(f"SELECT {COLUMNS} FROM sparkify.orders")
    return sorted((r[0], str(r[1])[:19], r[2], r[3], f"{float(r[4]):.2f}", r[5]) for r in rows)


def status_of(world: World, key: str) -> str:
    current, _ = world.warehouse.ledger()
    return next(str(status) for of, _, status, _ in current if of == key)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return laid_out(tmp_path_factory.mktemp("updated") / "tree")


@pytest.fixture(scope="module")
def deployed(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Memory:
    """The page's two files are loaded, each by a load of its own."""
    with World(tmp_path_factory.mktemp("deployed") / "warehouse", tree=tree) as world:
        for key, text in PAGES.items():
            load(world, {key: text})
        return world.remember()


@pytest.fixture
def world(tree: Path, deployed: Memory, tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "warehouse", tree=tree, memory=deployed) as found:
        yield found


def reload(world: World, *keys: str) -> Execution:
    return start(world, {"reload": True, "keys": list(keys)})


def test_the_files_of_the_page_load(tree: Path, tmp_path: Path) -> None:
    with World(tmp_path / "warehouse", tree=tree) as world:
        for key, text in PAGES.items():
            execution = load(world, {key: text})
            assert execution.status == "SUCCEEDED", execution.report
        assert {"orders_newest", "orders_not_older", "orders_unique"} <= passed(execution)
        assert orders(world) == rows_of(PAGES) != []


def test_an_old_version_that_comes_late_changes_nothing(world: World) -> None:
    late = body(order(1, 27, "draft"), order(9, 1))
    assert load(world, {LATE: late}).status == "SUCCEEDED"
    assert orders(world) == rows_of({**PAGES, LATE: late})


@pytest.mark.parametrize("keys", [[DAY_1], [DAY_2], [DAY_1, DAY_2]])
def test_a_reload_of_any_file_gives_the_same_tables(world: World, keys: list[str]) -> None:
    execution = reload(world, *keys)
    assert execution.status == "SUCCEEDED", execution.report
    assert orders(world) == rows_of(PAGES)
    (rows,) = world.warehouse.query("SELECT COUNT(*) FROM sparkify.order_versions")
    assert rows == [(6,)]  # replaced, not added


def test_undo_of_the_newest_gives_the_older_versions_back(world: World) -> None:
    execution = start(world, {"undo": load_id_of(world.executions.all[1])})
    assert execution.status == "SUCCEEDED", execution.report
    assert {"orders_gone", "orders_newest"} <= passed(execution)
    assert execution.report["undo"]["rows"] == {"order_versions": 3, "orders": 3}
    assert orders(world) == rows_of({DAY_1: PAGES[DAY_1]})
    assert start(world, {"keys": [DAY_2]}).status == "SUCCEEDED"
    assert orders(world) == rows_of(PAGES)


def test_undo_of_a_reload_leaves_what_other_files_say(world: World) -> None:
    assert start(world, {"undo": load_id_of(reload(world, DAY_2))}).status == "SUCCEEDED"
    assert orders(world) == rows_of({DAY_1: PAGES[DAY_1]})


def test_of_two_versions_of_one_time_the_smaller_stands(world: World) -> None:
    one, other = (body(order(1, 29, status)) for status in ("shipped", "returned"))
    for files in ({"orders/a.json": one}, {"orders/b.json": other}):
        load(world, files)
    expected = rows_of({**PAGES, "a": one, "b": other})
    assert next(row[2] for row in orders(world)) == "returned"
    assert orders(world) == expected
    reload(world, "orders/a.json")
    assert orders(world) == expected


def test_a_reload_of_one_file_of_a_batch_keeps_the_versions_of_the_others(world: World) -> None:
    """Both files were loaded together, and both have one version: undo of the reload would lose the other's."""
    files = {
        "orders/a.json": body(order(5, 29), order(6, 29)),
        "orders/b.json": body(order(5, 29), order(7, 29)),
    }
    together = load_id_of(load(world, files))
    again = reload(world, "orders/a.json")
    assert again.status == "SUCCEEDED", again.report
    assert orders(world) == rows_of({**PAGES, **files})
    refused = start(world, {"undo": load_id_of(again)})
    assert refused.status == "FAILED"
    assert together in refused.report["cause"]
    assert orders(world) == rows_of({**PAGES, **files})
    for unwanted in (together, load_id_of(again)):
        assert start(world, {"undo": unwanted}).status == "SUCCEEDED"
    assert orders(world) == rows_of(PAGES)


def test_a_reload_of_a_mended_mapping_replaces_what_the_files_said(
    world: World, tree: Path, tmp_path: Path
) -> None:
    """Also where that makes an order older, or takes one away: its own file says so."""
    fixed = tmp_path / "fixed"
    shutil.copytree(tree, fixed)
    paths = fixed / "sql/datasets/orders/jsonpaths.json"
    text = paths.read_text()
    paths.write_text(
        text.replace("$['updated_at']", "$['created_at']", 1).replace(
            "$['order_id']", "$['currency']"
        )
    )
    with World(tmp_path / "with it", tree=fixed, memory=world.remember()) as after:
        execution = reload(after, DAY_1, DAY_2)
        assert execution.status == "SUCCEEDED", execution.report
        (rows,) = after.warehouse.query(
            "SELECT order_id, CAST(updated_at AS VARCHAR) FROM sparkify.orders ORDER BY order_id"
        )
        assert [(key, time[:19]) for key, time in rows] == [
            ("EUR", "2026-11-27 18:03:02"),
            ("SEK", "2026-11-28 11:30:00"),
        ]


def test_a_reload_that_takes_an_order_back_is_refused_by_a_check(
    world: World, tree: Path, tmp_path: Path
) -> None:
    """Delete by key, then insert: with it a reload of an old file took every order of it back."""
    wrong = tmp_path / "wrong"
    shutil.copytree(tree, wrong)
    (wrong / "sql/datasets/orders/reload/15_replaced_versions.sql").write_text(BY_KEY)
    with World(tmp_path / "with it", tree=wrong, memory=world.remember()) as after:
        execution = reload(after, DAY_1)
        assert execution.status == "FAILED"
        assert "orders_not_older" in execution.report["cause"]
        assert "figure 2, expected 0" in execution.report["cause"]
        assert orders(after) == rows_of(PAGES)
        assert status_of(after, DAY_1) == "loaded"


def test_publishing_twice_changes_nothing(world: World) -> None:
    """Its publish has committed, the Data API has forgotten it, and the load goes on."""
    late = body(order(1, 30, "late"), order(1, 29))

    def stop(_execution: Execution, state: str) -> None:
        if state == "Published?":
            raise Stopped

    with statements_kept_by_its_clock(world):
        world.warehouse.slow = True
        world.executions.at_state = stop
        stopped = load(world, {LATE: late})
        assert stopped.status == "ABORTED"
        world.warehouse.rest()
        world.executions.at_state = lambda _execution, _state: None
        world.clock.advance(2 * 86_400)
        assert world.redrive(stopped).status == "SUCCEEDED"
    assert orders(world) == rows_of({**PAGES, LATE: late})
    (rows,) = world.warehouse.query("SELECT COUNT(*) FROM sparkify.order_versions")
    assert rows == [(8,)]


@pytest.mark.parametrize("seed", range(2))
def test_loads_reloads_and_undos_at_random(world: World, seed: int) -> None:
    chance = random.Random(seed)
    there = dict(PAGES)
    brought = {key: load_id_of(world.executions.all[n]) for n, key in enumerate(PAGES)}
    for step in range(8):
        what = chance.choice(("load", "load", "reload", "undo"))
        key = chance.choice(sorted(there)) if there else ""
        if what == "load" or not there:
            key = f"orders/{step}.jsonl"
            statuses = ("placed", "paid", "sent")
            text = body(
                *(
                    order(chance.randint(1, 4), chance.randint(25, 30), chance.choice(statuses))
                    for _ in range(chance.randint(1, 4))
                )
            )
            brought[key] = load_id_of(load(world, {key: text}))
            there[key] = text
        elif what == "reload":
            execution = reload(world, key)
            assert execution.status == "SUCCEEDED", execution.report
            brought[key] = load_id_of(execution)
        else:
            execution = start(world, {"undo": brought[key]})
            assert execution.status == "SUCCEEDED", execution.report
            del there[key]
        assert orders(world) == rows_of(there), (seed, step, what, key)
