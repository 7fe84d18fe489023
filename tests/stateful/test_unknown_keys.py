"""Keys and columns that no contract takes: rejected by every record, or staged and told with what would take them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stateful.worlds import tree_with
from tests.world.simulator import World

pytestmark = [pytest.mark.filterwarnings("ignore:No application metrics to publish")]

STRICT = """\
description: Orders of which every key must be known
files: strict/*.jsonl
key: id
newest: at
columns:
  id: varchar(16)
  at: timestamp
  email: {path: customer.email, type: varchar(64)}
  notes: super
tables:
  strict_items: {each: items, columns: {sku: varchar(16)}}
unknown: reject
"""
LOOSE = """\
description: Readings, of which the files have more columns as time goes by
files: loose/*.csv
columns:
  ts: timestamp
  device: varchar(16)
  value: "decimal(8,2)"
"""
NARROW = LOOSE.replace("loose/", "narrow/") + "unknown: reject\n"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    contracts = {"strict": STRICT, "loose": LOOSE, "narrow": NARROW}
    return tree_with(tmp_path_factory.mktemp("unknown") / "tree", contracts)


@pytest.fixture
def world(tree: Path, tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "world", tree=tree) as found:
        yield found


def order(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"O-{number}",
        "at": "2026-11-28T08:00:00Z",
        "customer": {"email": "a@example.com"},
        "notes": {"any": {"thing": number}},
        "items": [{"sku": "a"}],
        **more,
    }


def lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def load(world: World, files: dict[str, bytes]) -> Any:
    for key, body in files.items():
        world.upload(key, body)
    world.work()
    return world.executions.all[-1]


def told(world: World) -> dict[str, tuple[Any, ...]]:
    (rows,) = world.warehouse.query(
        "SELECT key, status, error_line, error_column, reason FROM sparkify.file_status"
    )
    return {key: tuple(more) for key, *more in rows}


def count(world: World, table: str) -> int:
    ((number,),) = world.warehouse.query(f"SELECT COUNT(*) FROM sparkify.{table}")[0]
    return int(number)


MANY = [order(number) for number in range(3000)]


def test_every_record_is_read_and_only_the_file_with_the_key_is_rejected(world: World) -> None:
    files = {
        "strict/a.jsonl": lines(*MANY),
        "strict/b.jsonl.gz": gzip.compress(lines(*MANY, order(7, customer={"vip": True}))),
        "strict/c.jsonl": lines(*MANY[:5], order(8, items=[{"sku": "a"}] * 30 + [{"qty": 2}])),
        "strict/bad.jsonl": b'{"id": "O-1"\n',
    }
    execution = load(world, files)
    assert execution.status == "SUCCEEDED", execution.cause
    found = told(world)
    assert found["strict/a.jsonl"][0] == "loaded"
    assert found["strict/b.jsonl.gz"][:3] == ("rejected", 3001, "customer.vip")
    assert "customer_vip: {path: customer.vip, type: boolean}" in found["strict/b.jsonl.gz"][3]
    assert found["strict/c.jsonl"][:3] == ("rejected", 6, "items[].qty")
    assert found["strict/bad.jsonl"][0] == "rejected"
    assert "unknown" not in found["strict/bad.jsonl"][3]
    assert (count(world, "strict"), count(world, "strict_versions")) == (3000, 3000)
    world.settle()
    assert count(world, "strict") == 3000


def test_a_batch_of_nothing_but_unknown_keys_publishes_nothing(world: World) -> None:
    load(
        world, {"strict/a.jsonl": lines(order(1, new=1)), "strict/b.jsonl": lines(order(2, new=1))}
    )
    assert {row[0] for row in told(world).values()} == {"rejected"}
    load(world, {"strict/a.jsonl": lines(order(1)), "strict/b.jsonl": lines(order(2))})
    assert count(world, "strict") == 2


def test_reading_that_takes_many_calls_publishes_once_all_is_read(
    tree: Path, tmp_path: Path
) -> None:
    """A call reads for a moment only: the next one goes on."""
    slow = tmp_path / "tree"
    tree_with(slow, {"strict": STRICT})
    module = slow / "functions" / "loader" / "unknown.py"
    text = module.read_text().replace("SECONDS = 120", "SECONDS = 0.02")
    assert "SECONDS = 0.02" in text
    module.write_text(text.replace("PART = 1 << 20", "PART = 1 << 12"))
    with World(tmp_path / "world", tree=slow) as world:
        files = {f"strict/{n}.jsonl": lines(*MANY) for n in range(3)}
        files["strict/late.jsonl"] = lines(*MANY, order(9, late=1))
        execution = load(world, files)
        assert execution.status == "SUCCEEDED", execution.cause
        assert {key: row[0] for key, row in told(world).items()} == {
            **dict.fromkeys(files, "loaded"),
            "strict/late.jsonl": "rejected",
        }
        assert told(world)["strict/late.jsonl"][1] == 3001
        assert count(world, "strict_versions") == 9000
