"""What a contract promises, one promise a test: orders with updates, items and deletions (contract_files.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stateful.contract_files import CONTRACTS, TEXTS, OwnFile
from tests.stateful.worlds import statements_kept_by_its_clock
from tests.world import contract_oracle
from tests.world.contract_oracle import File
from tests.world.executions import Execution
from tests.world.simulator import Memory, World, load_id_of
from tests.world.trees import with_contracts

ORDERS = CONTRACTS["orders"]
DAY = "2026-11-27T05:00:00Z"
LATER = "2026-11-28"

pytestmark = [
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),
    # In one of pytest's workers: what these tests share is prepared once.
    pytest.mark.xdist_group("contracts"),
]


def order(number: Any = "1", at: Any = DAY, **more: Any) -> dict[str, Any]:
    return {"order-id": number, "updatedAt": at, "status": "placed", **more}


def item(number: Any = "a", quantity: Any = 1, **more: Any) -> dict[str, Any]:
    return {"SKU-no": number, "Qty": quantity, **more}


FIRST = OwnFile("orders/first.jsonl", (order("0", items=[item()]),))


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Memory]:
    """A tree with orders, and a world in which FIRST is loaded: a check that passed once may judge a file by itself."""
    folder = tmp_path_factory.mktemp("contracts")
    tree = with_contracts(folder / "tree", {"orders": TEXTS["orders"]})
    world = World(folder / "warehouse", tree=tree)
    with statements_kept_by_its_clock(world):
        world.upload(FIRST.key, FIRST.body)
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


def load(world: World, *files: OwnFile) -> str:
    """Loads the files together; the load's id."""
    for file in files:
        world.upload(file.key, file.body)
    world.work()
    return load_id_of(world.executions.all[-1])


def run(world: World, document: dict[str, Any]) -> Execution:
    execution = world.start(document)
    world.work()
    assert execution.status == "SUCCEEDED", execution.cause
    return execution


def holds(world: World, *files: OwnFile, reloaded: tuple[OwnFile, ...] = ()) -> None:
    """The tables are those of FIRST and these files, and nothing is left behind."""
    found = [File(file.key, file.body, "r" if file in reloaded else "") for file in (FIRST, *files)]
    there = contract_oracle.read(ORDERS, world.warehouse.query)
    assert contract_oracle.diff(contract_oracle.tables(ORDERS, found), there) == ""
    assert not world._staging()


def rows(world: World, query: str) -> list[tuple[Any, ...]]:
    return sorted(world.warehouse.query(query)[0])


def file(name: str, *records: dict[str, Any]) -> OwnFile:
    return OwnFile(f"orders/{name}.jsonl", records)


# -- which version wins ------------------------------------------------------------------------


def test_the_newest_version_wins_whenever_it_comes(world: World) -> None:
    new = file("a", order(at=LATER, status="paid", items=[item("new")]))
    old = file("b", order(items=[item("old"), item("older")]))
    load(world, new)
    load(world, old)
    holds(world, new, old)
    assert rows(world, "SELECT sku FROM sparkify.order_items WHERE order_id = '1'") == [("new",)]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    "other",
    [{"status": "paid"}, {"total": 1}, {"select": {"a": 1}}, {"items": [item("b")]}, {"items": []}],
    ids=str,
)
def test_of_equally_new_versions_the_smaller_content_wins(
    world: World, other: dict[str, Any], turned: bool
) -> None:
    files = [
        file("a", order(items=[item("a")])),
        file("b", order(**{"items": [item("a")], **other})),
    ]
    for each in reversed(files) if turned else files:
        load(world, each)
    holds(world, *files)


def test_a_reloaded_version_wins_over_equally_new_ones_until_it_is_undone(world: World) -> None:
    small, large = file("a", order(status="a", items=[item()])), file("b", order(status="b"))
    load(world, small)
    load(world, large)
    holds(world, small, large)
    reload = run(world, {"reload": True, "keys": [large.key]})
    holds(world, small, large, reloaded=(large,))
    run(world, {"undo": load_id_of(reload)})
    holds(world, small)


def test_a_version_that_is_deleted_leaves_the_table_until_it_is_undone(world: World) -> None:
    there = file("a", order(items=[item()]))
    gone = file("b", order(at=LATER, op="D", items=[item("x")]))
    load(world, there)
    undone = load(world, gone)
    holds(world, there, gone)
    assert rows(world, "SELECT order_id FROM sparkify.orders") == [("0",)]
    run(world, {"undo": undone})
    holds(world, there)


def test_the_history_has_the_time_in_which_each_version_was_the_newest(world: World) -> None:
    made = [
        file(n, order(at=at, status=n)) for n, at in (("a", LATER), ("b", DAY), ("c", "2026-11-29"))
    ]
    load(world, *made)
    holds(world, *made)
    history = (
        "SELECT status, valid_from, valid_to FROM sparkify.orders_history WHERE order_id = '1'"
    )
    assert [(s, str(a)[:10], str(b)[:10]) for s, a, b in rows(world, history)] == [
        ("a", "2026-11-28", "2026-11-29"),
        ("b", "2026-11-27", "2026-11-28"),
        ("c", "2026-11-29", "None"),
    ]


def test_blanks_at_the_end_of_a_key_do_not_count(world: World) -> None:
    made = [
        file("a", order("2 ", items=[item("old")])),
        file("b", order("2", LATER, items=[item("new")])),
    ]
    load(world, *made)
    holds(world, *made)
    assert rows(world, "SELECT order_id FROM sparkify.orders") == [("0",), ("2",)]


# -- values ------------------------------------------------------------------------------------


def test_elements_have_their_place_and_their_types(world: World) -> None:
    elements = [
        item("a", "2", order="no"), item("b", 3.0, **{"a.b": {"unit price": "1.50"}}), None,
        item("c", None, **{"a.b": {"Unit Price": 1}}, order=True), item("d", None, qty=7),
    ]  # fmt: skip
    made = file("a", order(items=elements))
    load(world, made)
    holds(world, made)
    query = "SELECT position, sku, qty, price FROM sparkify.order_items WHERE order_id = '1'"
    assert [row[:3] for row in rows(world, query)] == [
        (0, "a", 2), (1, "b", 3), (2, None, None), (3, "c", None), (4, "d", None),
    ]  # fmt: skip


def test_times_are_stored_in_utc(world: World) -> None:
    zoned = {
        "2026-11-27T06:30:00+0130": "a",
        "2026-11-27 05:00:00": "b",
        "2026-11-27T05:00:00.000Z": "c",
    }
    made = file("a", *(order(number, at) for at, number in zoned.items()))
    load(world, made)
    holds(world, made)
    times = rows(
        world,
        "SELECT DISTINCT CAST(updated_at AS VARCHAR(19)) FROM sparkify.orders WHERE order_id <> '0'",
    )
    assert times == [("2026-11-27 05:00:00",)]


def test_the_first_path_that_is_there_counts_and_a_long_text_is_cut(world: World) -> None:
    records = (
        order("1", Customer={"Note": "first"}, **{"the note": "second"}),
        order("2", Customer={"Note": None}, **{"the note": "second is long"}),
        order("3", **{"the note": "ééééé"}),
    )
    made = file("a", *records)
    load(world, made)
    holds(world, made)
    assert rows(world, "SELECT order_id, note FROM sparkify.orders WHERE order_id <> '0'") == [
        ("1", "first"), ("2", "second"), ("3", "ééé"),
    ]  # fmt: skip


BAD = {
    "decimal-cut": order(total="1.005"),
    "decimal-large": order(total=1234567),
    "decimal-comma": order(total="1,5"),
    "time-german": order(at="27.11.2026 15:37:53Z"),
    "time-american": order(at="11/27/2026"),
    "time-short": order(at="2026-2-3"),
    "time-epoch": order(at=1795849215),
    "time-impossible": order(at="2026-02-30"),
    "no-newest": order(at=None),
    "blank-newest": order(at="  "),
    "no-key": {"updatedAt": DAY},
    "null-key": order(None),
    "blank-key": order("  "),
    "text-long": order(status="much too long"),
    "check": order(status="it's"),
    "no-object": order(Customer="guest"),
    "object-for-array": order(items={"a": 1}),
    "text-for-array": order(items="none"),
    "element-text": order(items=[item(quantity="three")]),
    "element-fraction": order(items=[item(quantity=1.5)]),
    "element-large": order(items=[item(quantity=2**31)]),
    "element-array": order(items=[item(quantity=[1])]),
    "element-check": order(items=[item(quantity=-1)]),
    "element-long": order(items=[item("too long")]),
    "element-boolean": order(items=[item(order="maybe")]),
    "element-cut": order(items=[item(**{"a.b": {"unit price": 1.005}})]),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_what_does_not_fit_is_rejected_and_the_rest_loads(
    world: World, bad: dict[str, Any]
) -> None:
    good, wrong = file("good", order("5", items=[item()])), file("bad", order("6"), bad)
    load(world, wrong, good)
    holds(world, good)
    statuses = rows(world, "SELECT key, status FROM sparkify.file_status")
    assert statuses == [(wrong.key, "rejected"), (FIRST.key, "loaded"), (good.key, "loaded")]


# -- what comes again --------------------------------------------------------------------------


def test_the_same_versions_in_a_copy_of_the_file_change_nothing(world: World) -> None:
    records = (order(items=[item(), item("b")]), order("2", LATER))
    made = [file("a", *records), file("copy", *records, *records)]
    load(world, made[0])
    load(world, made[1])
    holds(world, *made)
    run(world, {"undo": load_id_of(world.executions.all[-1])})
    holds(world, made[0])


def test_a_changed_file_adds_its_versions(world: World) -> None:
    before, after = file("a", order(items=[item()])), file("a", order(at=LATER, items=[item("b")]))
    load(world, before)
    load(world, after)
    holds(world, before, after)
