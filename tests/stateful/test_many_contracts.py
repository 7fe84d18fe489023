"""Twenty datasets by contract in one stack, deployed over one with data: a file each, and nothing else is changed."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stateful.test_second_dataset import COPIED, start
from tests.stateful.worlds import begun, statements_kept_by_its_clock
from tests.world.simulator import ROOT, Memory, World, load_id_of

EACH = 5  # datasets of each kind
LIMITS = {"MaxBatches": "30"}  # all of them in one execution

KEYED = """description: Orders of shop {number}, with their items; later files have newer versions
files: shop_{number}/*.jsonl
key: [order_id]
newest: updated_at
columns:
  order_id: varchar(64)
  updated_at: timestamp
  email: {{path: customer.email, type: varchar(256)}}
  total: decimal(12,2)
tables:
  shop_{number}_items: {{each: items, columns: {{sku: varchar(64), qty: integer}}}}
checks: {{shop_{number}_items.qty: ">= 1"}}
"""
APPENDED = """description: Events of source {number}
files: source_{number}/*.json
columns:
  id: bigint
  kind: {{path: type, type: varchar(32)}}
  payload: super
"""
CSV = """description: Readings of hall {number}
files: hall_{number}/*.csv
columns:
  device: varchar(64)
  degrees: {{path: Temperature, type: "decimal(6,2)"}}
"""
UNORDERED = """description: Names of list {number}, without a time
files: list_{number}/*.ndjson
key: [id]
newest: none
columns: {{id: integer, name: varchar(64)}}
"""
CONTRACTS = {"shop": KEYED, "source": APPENDED, "hall": CSV, "list": UNORDERED}

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = [
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),
    # In one of pytest's workers: what these tests share is prepared once.
    pytest.mark.xdist_group("many contracts"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tree_with(tmp_path_factory.mktemp("contracts") / "tree", EACH)


def tree_with(folder: Path, each: int) -> Path:
    """The product with so many contracts of each kind, and with no other difference."""
    folder.mkdir()
    for name in COPIED:
        copy: Any = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    for number in range(each):
        for kind, text in CONTRACTS.items():
            path = folder / "sql" / "datasets" / f"{kind}_{number}" / "dataset.yaml"
            path.parent.mkdir()
            path.write_text(text.format(number=number), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def loaded(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Memory:
    """The files of all datasets are uploaded to a deployment that had data, and loaded by their events."""
    folder = tmp_path_factory.mktemp("loaded") / "warehouse"
    with (
        World(folder, tree=tree, parameters=LIMITS, memory=begun()) as world,
        statements_kept_by_its_clock(world),
    ):
        for key, body in files().items():
            world.upload(key, body)
        world.upload("elsewhere/a.jsonl", b"{}")  # the rule takes it, and no dataset does
        world.settle()
        assert {execution.status for execution in world.executions.all} == {"SUCCEEDED"}
        return world.remember()


@pytest.fixture
def world(tree: Path, loaded: Memory, tmp_path: Path) -> Iterator[World]:
    with (
        World(tmp_path / "warehouse", tree=tree, parameters=LIMITS, memory=loaded) as found,
        statements_kept_by_its_clock(found),
    ):
        yield found


def lines(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def order(number: int, name: str, hour: int, *quantities: int) -> dict[str, Any]:
    return {
        "order_id": f"{number}-{name}",
        "updated_at": f"2026-11-28T{hour:02}:00:00Z",
        "customer": {"email": f"{name}@example.com"},
        "total": 9.5 + number,
        "items": [{"sku": f"s{place}", "qty": qty} for place, qty in enumerate(quantities)],
    }


def files() -> dict[str, bytes]:
    """Two files of each dataset."""
    found: dict[str, bytes] = {}
    for n in range(EACH):
        found |= {
            f"shop_{n}/1.jsonl": lines(order(n, "a", 9, 1, 2), order(n, "b", 8, 3)),
            f"shop_{n}/2.jsonl.gz": gzip.compress(lines(order(n, "a", 7, 9)), mtime=0),
            f"source_{n}/1.json": lines(*({"id": i, "type": "x"} for i in range(n + 1))),
            f"source_{n}/2.json": lines({"id": 0, "type": "x", "payload": {"Deep": [1]}}),
            f"hall_{n}/1.csv": b"Device,Temperature\nd1,20.5\nd2,-1.25\n",
            f"hall_{n}/2.csv": b"temperature,device\n3.00,d3\n",
            f"list_{n}/1.ndjson": lines({"id": n, "name": "one"}, {"id": 99, "name": "b"}),
            f"list_{n}/2.ndjson": lines({"id": 99, "name": "a"}),
        }
    return found


def check(world: World, *, there: bool = True) -> None:
    """The tables of each dataset are those of the files, or empty."""
    for n in range(EACH):
        rows = world.warehouse.query(
            f"SELECT order_id, email, total FROM sparkify.shop_{n} ORDER BY order_id",
            f"SELECT order_id, position, sku, qty FROM sparkify.shop_{n}_items ORDER BY order_id, position",
            f"SELECT COUNT(*), COUNT(payload), MAX(JSON_SERIALIZE(payload)) FROM sparkify.source_{n}",
            f"SELECT device, degrees FROM sparkify.hall_{n} ORDER BY device",
            f"SELECT id, name FROM sparkify.list_{n} ORDER BY id",
        )
        orders, items, events, readings, names = ([tuple(map(str, row)) for row in r] for r in rows)
        if not there:
            assert [orders, items, readings, names] == [[]] * 4
            assert events == [("0", "0", "None")]
            continue
        assert orders == [(f"{n}-{x}", f"{x}@example.com", f"{9.5 + n:.2f}") for x in "ab"]
        assert [item[1:] for item in items] == [
            ("0", "s0", "1"),
            ("1", "s1", "2"),
            ("0", "s0", "3"),
        ]
        assert events == [(str(n + 2), "1", '{"Deep":[1]}')]
        assert readings == [("d1", "20.50"), ("d2", "-1.25"), ("d3", "3.00")]
        assert names == [(str(n), "one"), ("99", "a")]


def test_each_has_its_rows_and_nothing_of_the_template_was_changed(
    world: World, tree: Path
) -> None:
    check(world)
    for name in ("template.yaml", "statemachine/load.asl.json"):
        assert (tree / name).read_bytes() == (ROOT / name).read_bytes()
    current, _ = world.warehouse.ledger()
    assert {key for key, _, status, _ in current if status == "loaded"} >= files().keys()
    assert "elsewhere/a.jsonl" not in {key for key, *_ in current}
    before = len(world.executions.all)
    world.settle()
    assert {e.report["files"]["loaded"] for e in world.executions.all[before:]} <= {0}


def test_the_check_of_the_set_up_plans_the_statements_of_each_kind(tmp_path: Path) -> None:
    with World(tmp_path / "warehouse", tree=tree_with(tmp_path / "tree", 1)) as world:
        assert start(world, {"migrate": True}).status == "SUCCEEDED"
        setup = {
            check.pop("name"): check for check in start(world, {"check": True}).report["setup"]
        }
    assert {name for name, check in setup.items() if not check["passed"]} == {"bucket_events"}
    for kind in CONTRACTS:
        for step in ("stage", "publish", "undo"):
            assert f"statements: {step} {kind}_0" in setup


@pytest.mark.skipif(os.environ.get("FAULTS") != "all", reason="a minute: make faults runs it")
def test_undo_and_redo_of_a_load_of_all(world: World) -> None:
    of_contracts = [
        e for e in world.executions.all if e.report.get("files", {}).get("loaded", 0) > 2
    ]
    (load,) = (load_id_of(execution) for execution in of_contracts)
    undone = start(world, {"undo": load})
    assert undone.status == "SUCCEEDED", undone.report
    check(world, there=False)
    again = start(world, {"redo": load})
    assert again.status == "SUCCEEDED", again.report
    check(world)
