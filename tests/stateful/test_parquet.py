"""Parquet by contract: columns by name, files that do not go with the contract, bad files among good ones."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.stateful.test_bad_files import copies
from tests.stateful.worlds import statements_kept_by_its_clock
from tests.world import contract_oracle
from tests.world.contract_oracle import File
from tests.world.simulator import Memory, World, load_id_of
from tests.world.trees import contract_of, with_contracts

ORDERS = """\
description: Orders
files: orders/*.parquet
key: order_id
newest: updated_at
history: true
columns:
  order_id: varchar(16)
  updated_at: timestamp
  quantity: {path: Qty, type: integer}
  rating: smallint
  views: bigint
  total: "decimal(12,2)"
  paid: boolean
  day: date
  weight: double precision
  ratio: real
  since: {type: timestamp, format: epoch_seconds}
  note: {type: varchar(8), too_long: truncate}
  email: {type: varchar(64), mask: drop}
  code: varchar(4)
  address: super
tables:
  order_items: {each: items, columns: {sku: varchar(8), pieces: integer, price: "decimal(8,2)"}}
checks: {quantity: ">= 0"}
"""
STRICT = """\
description: Readings of which every column must be known
files: strict/*.parquet
columns: {device: varchar(16), value: double precision}
unknown: reject
"""
CONTRACT = contract_of("orders", ORDERS)
# The columns of a file, as DuckDB writes them.
GOOD = {
    "order_id": "'1'",
    "updated_at": "TIMESTAMP '2026-11-27 05:00:00.123456'",
    "Qty": "3",
    "rating": "5::SMALLINT",
    "views": "12345678901::BIGINT",
    "total": "19.90::DECIMAL(12,2)",
    "paid": "true",
    "day": "DATE '2026-11-27'",
    "weight": "1.5::DOUBLE",
    "ratio": "0.25::FLOAT",
    "since": "1795000000::BIGINT",
    "note": "'a note'",
    "email": "'a@example.com'",
    "code": "'abcd'",
    "address": "{'city': 'Bonn', 'lines': ['a', NULL]}",
    "items": "[{'sku': 'x', 'pieces': 2, 'price': 1.25}, {'sku': 'y', 'pieces': NULL, 'price': 2.5}]",
}
LATER = "TIMESTAMP '2026-11-28 00:00:00'"

pytestmark = [
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),
    # In one of pytest's workers: what these tests share is prepared once.
    pytest.mark.xdist_group("parquet"),
]


def parquet(query: str) -> bytes:
    """The rows of a query as a file."""
    folder = Path(tempfile.mkdtemp())
    try:
        with duckdb.connect() as con:
            con.execute(f"COPY ({query}) TO '{folder}/a.parquet' (FORMAT parquet)")
        return (folder / "a.parquet").read_bytes()
    finally:
        shutil.rmtree(folder)


def order(number: int, /, **changed: str) -> bytes:
    """A file of one order; a column that is changed to '' is left out."""
    return parquet(f"SELECT {', '.join(_said(number, changed))}")


def turned(number: int, /, **changed: str) -> bytes:
    """The same with its columns in the other order."""
    return parquet(f"SELECT {', '.join(reversed(_said(number, changed)))}")


def _said(number: int, changed: dict[str, str]) -> list[str]:
    columns = {**GOOD, "order_id": f"'{number}'", **changed}
    return [f'{value} AS "{name}"' for name, value in columns.items() if value]


FIRST = "orders/first.parquet", order(0)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Memory]:
    """A tree with the two datasets, and a world in which FIRST is loaded."""
    folder = tmp_path_factory.mktemp("parquet")
    tree = with_contracts(folder / "tree", {"orders": ORDERS, "strict": STRICT})
    world = World(folder / "warehouse", tree=tree)
    with statements_kept_by_its_clock(world):
        world.upload(*FIRST)
        world.work()
    return tree, world.remember()


@pytest.fixture
def world(begun: tuple[Path, Memory], tmp_path: Path) -> Iterator[World]:
    tree, memory = begun
    with (
        World(tmp_path / "warehouse", tree=tree, memory=memory) as found,
        statements_kept_by_its_clock(found),
    ):
        yield found


def load(world: World, **files: bytes) -> str:
    """Loads the files together; the load's id."""
    for name, body in files.items():
        world.upload(f"orders/{name}.parquet", body)
    world.work()
    assert world.executions.all[-1].status == "SUCCEEDED", world.executions.all[-1].cause
    return load_id_of(world.executions.all[-1])


def holds(world: World, *bodies: bytes) -> None:
    """The tables are those of FIRST and these files, and nothing is left behind."""
    files = [File(FIRST[0], FIRST[1]), *(File("orders/x.parquet", body) for body in bodies)]
    there = contract_oracle.read(CONTRACT, world.warehouse.query)
    assert contract_oracle.diff(contract_oracle.tables(CONTRACT, files), there) == ""
    assert not world._staging()


def told(world: World) -> dict[str, tuple[str, str]]:
    (rows,) = world.warehouse.query("SELECT key, status, reason FROM sparkify.file_status")
    return {Path(key).stem: (status, reason or "") for key, status, reason in rows}


def rejected(world: World, name: str, *words: str) -> None:
    """The file is rejected with these words, and the oracle agrees that it is bad."""
    status, reason = told(world)[name]
    assert status == "rejected", (status, reason)
    assert [word for word in words if word not in reason] == [], reason


# -- columns by name ---------------------------------------------------------------------------


def test_columns_in_another_order_and_two_schemas_in_one_upload(world: World) -> None:
    files = {
        "a": order(1),
        "b": turned(2),
        "c": turned(3, surprise="{'a': 1}", address="'just a text'"),
        "d": order(4, Qty="", QTY="7"),
        "e": order(
            5, items="NULL::STRUCT(sku VARCHAR, pieces INTEGER)[]", total="NULL::DECIMAL(12,2)"
        ),
    }
    load(world, **files)
    holds(world, *files.values())
    ((kept,),) = world.warehouse.query("SELECT COUNT(*) FROM sparkify.key_sightings")[0:1][0]
    assert kept == 1


def test_an_update_wins_and_is_undone_and_loaded_again(world: World) -> None:
    old, new = order(1), order(1, updated_at=LATER, note="'a longer note'", items="[]")
    load(world, old=old)
    load_id = load(world, new=new)
    holds(world, old, new)
    world.start({"undo": load_id})
    world.work()
    holds(world, old)
    world.start({"redo": load_id})
    world.work()
    assert world.executions.all[-1].status == "SUCCEEDED", world.executions.all[-1].cause
    holds(world, old, new)


WRONG_SCHEMAS: dict[str, tuple[dict[str, str], list[str]]] = {
    "missing": (
        {"code": ""},
        ["missing: code", "dataset's columns are: order_id, updated_at, Qty"],
    ),
    "int": ({"Qty": "3::BIGINT"}, ["Qty is INT64, not INT32", "COPY converts no types"]),
    "text": ({"views": "'12'"}, ["views is STRING, not INT64"]),
    "number": ({"code": "12"}, ["code is INT32, not STRING"]),
    "scale": ({"total": "1.5::DECIMAL(12,3)"}, ["total is DECIMAL(12,3), not DECIMAL(12,2)"]),
    "nanos": (
        {"updated_at": "TIMESTAMP_NS '2026-11-27 05:00:00'"},
        ["updated_at is TIMESTAMP(nanos), not TIMESTAMP"],
    ),
    "list": ({"day": "[DATE '2026-11-27']"}, ["day is NESTED, not DATE"]),
    "unsigned": ({"Qty": "3::UINTEGER"}, ["Qty is UINT32, not INT32"]),
    "wide": ({f"x{n}": "1" for n in range(21)}, ["not known: 21 names", "At most 20 columns"]),
}


def test_files_whose_schemas_do_not_go_are_rejected_before_copy(world: World) -> None:
    good = order(2)
    bad = {name: order(1, **changed) for name, (changed, _) in WRONG_SCHEMAS.items()}
    bad["twice"] = order(1, qtx="1").replace(b"qtx", b"QTY")  # DuckDB refuses to write it
    before = copies(world)
    load(world, good=good, **bad)
    for name, (_, words) in WRONG_SCHEMAS.items():
        rejected(world, name, *words)
    rejected(world, "twice", "named twice: qty")
    holds(world, good)
    assert copies(world) - before == 1, "each was found before COPY"


def test_an_unknown_column_rejects_the_file_if_the_contract_says_so(world: World) -> None:
    world.upload("strict/good.parquet", parquet("SELECT 1.5::DOUBLE AS value, 'a' AS device"))
    world.upload(
        "strict/bad.parquet", parquet("SELECT 'a' AS device, 1.5::DOUBLE AS value, 2 AS more")
    )
    world.work()
    rejected(world, "bad", "not known: more")
    assert told(world)["good"][0] == "loaded"
    assert world.warehouse.query("SELECT device, value FROM sparkify.strict")[0] == [("a", 1.5)]


# -- bad files ---------------------------------------------------------------------------------


def broken(body: bytes) -> bytes:
    """The file with its first pages destroyed: its footer says nothing of it."""
    return body[:4] + b"\xff" * 60 + body[64:]


BAD = {
    "truncated": (order(1)[:-300], "does not end in PAR1"),
    "csv": (b"order_id,qty\n1,2\n", "does not end in PAR1"),
    "encrypted": (order(1)[:-4] + b"PARE", "encrypted footer"),
    "nothing": (b"PAR1" + b"\x00" * 8 + b"PAR1", "broken end"),
    "pages": (broken(order(1)), "Spectrum Scan Error"),
}


def test_bad_files_among_good_ones_are_found(world: World) -> None:
    good = [order(number) for number in (2, 3, 4)]
    bad = {name: body for name, (body, _) in BAD.items()}
    load(world, a=good[0], n=good[1], **bad, z=good[2])
    for name, (_, words) in BAD.items():
        rejected(world, name, words)
        assert "Parquet under" not in told(world)[name][1]
    holds(world, *good)


MISFITS: dict[str, tuple[dict[str, str], str]] = {
    "long": ({"code": "'abcdef'"}, "code"),
    "small": ({"rating": "40000"}, "rating"),
    "keyless": ({"order_id": "NULL::VARCHAR"}, "order_id"),
    "check": ({"Qty": "-1"}, "quantity"),
    "epoch": ({"since": "999999999999::BIGINT"}, "since"),
    "child": ({"items": "[{'sku': 'far too long', 'pieces': 1, 'price': 1}]"}, "order_items.sku"),
}


def test_values_that_do_not_fit_reject_their_files(world: World) -> None:
    good = [order(number) for number in (2, 3)]
    bad = {name: order(1, **changed) for name, (changed, _) in MISFITS.items()}
    for body in bad.values():
        assert contract_oracle.judge(CONTRACT, "orders/bad.parquet", body)
    load(world, a=good[0], **bad, z=good[1])
    for name, (_, word) in MISFITS.items():
        rejected(world, name, word)
    assert "Parquet has no lines" in told(world)["small"][1]
    holds(world, *good)


def test_of_a_wrong_set_up_no_file_is_rejected(begun: tuple[Path, Memory], tmp_path: Path) -> None:
    """COPY fails for each file, also for the control, which loaded before: so it is none of them."""
    tree, memory = begun
    wrong = tmp_path / "tree"
    shutil.copytree(tree, wrong)
    with World(tmp_path / "warehouse", tree=wrong, memory=memory) as world:
        copy = next(wrong.glob("**/orders/copy.sql"))
        copy.write_text(copy.read_text().replace("SERIALIZETOJSON", ""))
        world.upload("orders/a.parquet", order(1))
        world.upload("orders/b.parquet", order(2))
        world.work()
        execution = world.executions.all[-1]
        assert (execution.status, "rejected" in str(told(world))) == ("FAILED", False)
        assert f"{FIRST[0]}, which loaded before, fails too" in str(execution.cause)
        assert not world._staging()


def test_a_first_bad_file_waits_for_a_good_one(world: World) -> None:
    """Of the dataset strict nothing has loaded: whether its file or the set-up is wrong is not known yet."""
    bad = parquet("SELECT i::DOUBLE AS value, 'a' || i AS device FROM range(99) AS r(i)")
    world.upload("strict/a.parquet", broken(bad))
    world.work()
    assert told(world)["a"][0] == "waiting"
    world.upload("strict/b.parquet", bad)
    world.work()
    world.settle()
    assert (told(world)["a"][0], told(world)["b"][0]) == ("rejected", "loaded")
