"""Keys and columns that no contract takes: rejected by every record, or staged and told with what would take them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.evolving import Wanted, evolve
from tests.world.simulator import World
from tests.world.trees import with_contracts

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
MOODS = """\
description: Moods, of which nobody said all
files: moods/*.json
columns:
  id: bigint
  scale: {path: mood.scale, type: "decimal(8,2)"}
tables:
  mood_tags: {each: tags, columns: {tag: varchar(16)}}
"""
NARROW = LOOSE.replace("loose/", "narrow/") + "unknown: reject\n"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    contracts = {"strict": STRICT, "loose": LOOSE, "narrow": NARROW, "moods": MOODS}
    return with_contracts(tmp_path_factory.mktemp("unknown") / "tree", contracts)


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
    with_contracts(slow, {"strict": STRICT})
    module = slow / "functions" / "loader" / "unknown.py"
    text = module.read_text()
    late = "if time.monotonic() > until:\n                return replace(read, at=records.offset()"
    assert late in text
    # The clock of a world stands still: a call ends after so many bytes of a file.
    text = text.replace(
        late, late.replace("time.monotonic() > until", "records.offset() > read.at + 90_000")
    )
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


def new_keys(execution: Any) -> dict[str, Any]:
    sample = execution.report["sample"]
    return {
        key["path"]: (key["file"], key.get("suggested")) for key in sample["keys"] if key["new"]
    }


def test_unknown_keys_are_told_with_lines_that_take_them(tree: Path, tmp_path: Path) -> None:
    """The lines make a contract that takes all: ``loader evolve``."""
    records: list[dict[str, Any]] = [
        {"id": 1, "at": 1764316800, "mood": {"name": "ok", "scale": 2}, "tags": [{"tag": "a"}]},
        {"id": 2, "firstName": "Ada", "mood": {"scale": 2.5}, "tags": [{"tag": "b", "by": "x"}]},
        {"id": 3, "firstName": None, "when": "2026-11-28T08:00:00+01:00", "open": False},
    ]
    wanted = {
        "at": "at: bigint",
        "mood.name": "mood_name: {path: mood.name, type: varchar(16)}",
        "firstName": "first_name: {path: firstName, type: varchar(16)}",
        "tags[].by": "by: varchar(16)",
        "when": "when: timestamp",
        "open": "open: boolean",
    }
    with World(tmp_path / "world", tree=tree) as world:
        execution = load(world, {"moods/a.json": lines(*records)})
        assert execution.status == "SUCCEEDED", execution.cause
        assert {path: line for path, (_, line) in new_keys(execution).items()} == wanted
        assert shown_line(world.told) == "first_name: {path: firstName, type: varchar(16)}"
        (seen,) = world.warehouse.query("SELECT path, suggested FROM sparkify.key_sightings")
    source = tmp_path / "moods" / "dataset.yaml"
    source.parent.mkdir()
    source.write_text(MOODS)
    found = evolve(source, [Wanted(*one) for one in seen])
    assert not found.left
    tree = with_contracts(tmp_path / "tree", {"moods": found.text})
    with World(tmp_path / "evolved", tree=tree) as evolved:
        execution = load(evolved, {"moods/a.json": lines(*records)})
        assert execution.status == "SUCCEEDED", execution.cause
        assert new_keys(execution) == {}
        (rows,) = evolved.warehouse.query(
            'SELECT first_name, mood_name, "when", "open" FROM sparkify.moods ORDER BY id'
        )
        assert rows == [
            (None, "ok", None, None),
            ("Ada", None, None, None),
            (None, None, "2026-11-28 07:00:00", False),
        ]


def shown_line(messages: list[tuple[str, str]]) -> str:
    """The line that the topic's message has for firstName."""
    (line,) = [line for _, text in messages for line in text.splitlines() if "firstName" in line]
    return line.partition("In dataset.yaml: ")[2]


def test_an_unknown_column_of_csv_is_staged_and_told(world: World) -> None:
    """In any place, in some of the files, beside others; the dataset's own columns load as without it."""
    files = {
        "loose/a.csv": b"ts,device,value\n2026-11-28 08:00:00,d1,1.25\n",
        "loose/b.csv": b"Firmware,ts,device,value,Owner Id\n1.2.3,2026-11-28 08:00:00,d2,2.5,00012\n",
        "loose/c.csv": b'value,ts,"Comment, long",device\n3.75,2026-11-28 08:00:00,"a\nb",d3\n',
        "loose/d.csv.gz": gzip.compress(b"x1,ts,device,value,x2\n5,2026-11-28 08:00:00,d4,1,7\n"),
        "loose/lacks.csv": b"ts,device,extra\n2026-11-28 08:00:00,d5,x\n",
        "loose/wide.csv": b"ts,device,value,%s\n" % b",".join(b"c%d" % n for n in range(21)),
    }
    execution = load(world, files)
    assert execution.status == "SUCCEEDED", execution.cause
    assert {key: row[0] for key, row in told(world).items()} == {
        **dict.fromkeys(files, "loaded"),
        "loose/lacks.csv": "rejected",
        "loose/wide.csv": "rejected",
    }
    assert "missing: value" in told(world)["loose/lacks.csv"][3]
    assert "At most 20 columns that are not known" in told(world)["loose/wide.csv"][3]
    (rows,) = world.warehouse.query("SELECT device, value FROM sparkify.loose ORDER BY device")
    assert rows == [("d1", "1.25"), ("d2", "2.50"), ("d3", "3.75"), ("d4", "1.00")]
    keys = new_keys(execution)
    assert keys == {
        "firmware": ("loose/b.csv", "firmware: varchar(16)"),
        "owner id": ("loose/b.csv", 'owner_id: {path: "owner id", type: varchar(16)}'),
        "comment, long": (
            "loose/c.csv", 'comment_long: {path: "comment, long", type: varchar(16)}'
        ),
        "x1": ("loose/d.csv.gz", "x1: bigint"),
        "x2": ("loose/d.csv.gz", "x2: bigint"),
    }  # fmt: skip
    (seen,) = world.warehouse.query(
        "SELECT path, suggested FROM sparkify.key_sightings WHERE dataset = 'loose'"
    )
    assert dict(seen) == {path: suggested for path, (_, suggested) in keys.items()}
    assert new_keys(load(world, {"loose/e.csv": files["loose/b.csv"]})) == {}


def test_a_bad_value_beside_an_unknown_column_rejects_its_file_only(world: World) -> None:
    files = {
        "loose/good.csv": b"new,ts,device,value\nx,2026-11-28 08:00:00,d1,1.5\n",
        "loose/bad.csv": b"new,ts,device,value\nx,2026-11-28 08:00:00,d1,many\n",
    }
    load(world, files)
    found = told(world)
    assert {key: row[0] for key, row in found.items()} == {
        "loose/good.csv": "loaded", "loose/bad.csv": "rejected"
    }  # fmt: skip


def test_an_unknown_column_of_csv_is_rejected_if_the_contract_says_so(world: World) -> None:
    files = {
        "narrow/a.csv": b"ts,device,value\n2026-11-28 08:00:00,d1,1.5\n",
        "narrow/b.csv": b"ts,device,value,more\n2026-11-28 08:00:00,d1,1.5,x\n",
    }
    load(world, files)
    found = told(world)
    assert found["narrow/a.csv"][0] == "loaded"
    assert found["narrow/b.csv"][:2] == ("rejected", 1)
    assert "not known: more" in found["narrow/b.csv"][3]
