"""A contract changes after files were loaded: the tables follow, or the load says why they do not and how it is done.

Each test begins with a warehouse as the first contract left it, over which a product with another contract is deployed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakeshift import Fault
from tests.world.executions import Execution
from tests.world.simulator import Memory, World
from tests.world.trees import with_contracts

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = [
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),
    # In one of pytest's workers: what these tests share is prepared once.
    pytest.mark.xdist_group("change"),
]

# make faults takes each change, refusal and interruption; make test all changes at once and some of the others.
ALL_FAULTS = os.environ.get("FAULTS") == "all"
KEY, ROWS = "key: [order_id]\nnewest: updated_at\n", ""
COLUMNS = {
    "order_id": "varchar(16)",
    "updated_at": "timestamp",
    "city": "{path: customer.address.city, type: varchar(8)}",
    "repo": "{path: repo.full_name, type: varchar(32)}",
    "total": "decimal(8,2)",
}
ITEMS = "tables:\n  order_items: {each: items, columns: {sku: varchar(8), qty: integer}}\n"
ZIP = {"zip": "{path: customer.address.zip, type: varchar(8)}"}
CITY = {"city": "{path: customer.address.city, type: varchar(16)}"}
REPO = {"repo": "{path: [repo.full_name, repo.name], type: varchar(32)}"}
# Of the first and of the second file: a city that the first contract has no room for, a repo that is renamed.
FIRST, SECOND = "orders/first.jsonl", "orders/second.jsonl"
LONG = "Bietigheim-Biss."


def contract(columns: dict[str, str], *, key: str = KEY, more: str = "history: true\n") -> str:
    said = "".join(f"  {name}: {kind}\n" for name, kind in columns.items())
    return f"description: Orders\nfiles: orders/*.jsonl\n{key}columns:\n{said}{more}"


V1 = contract(COLUMNS)
ROWS_1 = contract(COLUMNS, key=ROWS, more="")
WITH_ITEMS = contract(COLUMNS, more=ITEMS + "history: true\n")
CHANGES = {
    # Anywhere in the order: a table that exists gets it as its last column.
    "a column added": contract({"order_id": "varchar(16)", **ZIP, **COLUMNS}),
    "both paths": contract(COLUMNS | REPO),
    "a varchar widened": contract(COLUMNS | CITY),
    "a table of an array added": WITH_ITEMS,
    "all at once": contract({**ZIP, **COLUMNS, **CITY, **REPO}, more=ITEMS + "history: true\n"),
}
ALL = CHANGES["all at once"]


def order(
    number: int, day: int, *, city: str = "Ulm", repo: str = "full_name", key: str = ""
) -> bytes:
    """A line: an order's version of a day of November."""
    said = {
        "order_id": f"O-{number}",
        "updated_at": f"2026-11-{day:02}T08:00:00Z",
        "customer": {"address": {"city": city, "zip": f"{number:05}"}},
        "repo": {repo: f"shop/{number}"},
        "total": 10.25 + number,
        "items": [{"sku": f"S{n}", "qty": n} for n in range(1, number % 3 + 1)],
    }
    return json.dumps(said).encode() + b"\n"


FILES = {
    FIRST: order(1, 1) + order(2, 1) + order(3, 1),
    SECOND: order(2, 2, city=LONG, repo="name") + order(4, 2, repo="name"),
}


class Shop:
    """The products of a module's tests, by their contracts; and a warehouse that the first of them has loaded into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._trees: dict[tuple[str, ...], Path] = {}
        self._memories: dict[str, Memory] = {}

    def tree(self, **contracts: str) -> Path:
        """The product with these datasets."""
        key = tuple(sorted(map(str, contracts.items())))
        if key not in self._trees:
            self._trees[key] = with_contracts(self.folder / f"tree{len(self._trees)}", contracts)
        return self._trees[key]

    def loaded(self, text: str) -> Memory:
        """A world in which a product with this contract has loaded the first file."""
        if text not in self._memories:
            folder = self.folder / f"world{len(self._memories)}"
            world = World(folder, tree=self.tree(orders=text))
            load(world, FIRST)
            self._memories[text] = world.remember()
        return self._memories[text]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("change"))


Deploy = Callable[..., World]


@pytest.fixture
def deploy(shop: Shop, tmp_path: Path) -> Iterator[Deploy]:
    """deploy(contract, over=contract): a world with the second's warehouse. deploy(contract, over=world) goes on."""
    worlds: list[World] = []

    def deployed(text: str, *, over: str | World = V1, **others: str) -> World:
        if isinstance(over, World):
            memory = over.remember()
        else:
            memory = shop.loaded(over)
        for world in worlds:
            world.__exit__()
        worlds.clear()
        folder = tmp_path / f"world{len(list(tmp_path.iterdir()))}"
        worlds.append(World(folder, tree=shop.tree(orders=text, **others), memory=memory))
        return worlds[-1]

    yield deployed
    for world in worlds:
        world.__exit__()


def load(world: World, key: str, body: bytes = b"") -> Execution:
    """Uploads a file and waits for its load, which may fail."""
    world.upload(key, body or FILES[key])
    world.work()
    return world.executions.all[-1]


def start(world: World, document: Any) -> Execution:
    execution = world.start(document)
    world.work()
    return execution


def loaded(execution: Execution) -> dict[str, Any]:
    """The report of a load that succeeded."""
    assert execution.status == "SUCCEEDED", execution.cause
    report: dict[str, Any] = execution.report
    return report


def cause(execution: Execution) -> str:
    """Why a load failed."""
    assert execution.status == "FAILED", execution.output
    return str(json.loads(str(execution.cause))["cause"])


def rows(world: World, table: str = "orders") -> dict[str, tuple[Any, ...]]:
    """The orders: number -> city, repo, zip (None if there is no such column), and its items if there are any."""
    columns = [name for (name,) in ask(world, COLUMN_NAMES.format(table))]
    zips = "zip" if "zip" in columns else "CAST(NULL AS VARCHAR(8))"
    found = ask(world, f"SELECT order_id, city, repo, {zips} FROM sparkify.{table}")
    return {key: tuple(values) for key, *values in found}


COLUMN_NAMES = (
    "SELECT column_name FROM svv_columns WHERE table_schema = 'sparkify' AND table_name = '{}'"
)


def items(world: World) -> list[tuple[Any, ...]]:
    found = ask(world, "SELECT order_id, sku, qty FROM sparkify.order_items")
    assert found == [*dict.fromkeys(found)]
    return sorted(found)


def ask(world: World, sql: str) -> list[tuple[Any, ...]]:
    (found,) = world.warehouse.query(sql)
    return [tuple(row) for row in found]


def run(world: World, sql: str) -> None:
    """What an administrator does by hand."""
    world.warehouse.execute(sql)


def contracts(world: World) -> list[int]:
    """The numbers of the contracts that the tables have had."""
    return sorted(number for (number,) in ask(world, "SELECT number FROM sparkify.contracts"))


def has_settled(world: World) -> bool:
    return not [table for table in world.warehouse.tables() if re.search(r"\d", table)]


# -- what is done ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHANGES if ALL_FAULTS else ["all at once"])
def test_the_next_load_brings_the_tables_to_the_contract(deploy: Deploy, name: str) -> None:
    text = CHANGES[name]
    world = deploy(text)
    has_zip, has_paths, is_wide, has_items = (
        piece in text for piece in ("zip", "repo.name", "varchar(16)}", "order_items")
    )
    second = FILES[SECOND] if is_wide else FILES[SECOND].replace(LONG.encode(), b"Bonn")
    report = loaded(load(world, SECOND, second))

    def expected(number: int, *, new: bool) -> tuple[Any, ...]:
        later = number in (2, 4)
        city = (LONG if is_wide else "Bonn") if number == 2 else "Ulm"
        repo = f"shop/{number}" if has_paths or not later else None
        return city, repo, f"{number:05}" if has_zip and new else None

    # What was loaded before has nothing in the new column.
    assert rows(world) == {f"O-{n}": expected(n, new=n in (2, 4)) for n in (1, 2, 3, 4)}
    assert report["files"]["rejected"] == 0
    told = [
        *["column orders.zip added"] * has_zip,
        *["column orders.city widened from VARCHAR(8) to VARCHAR(16)"] * is_wide,
        *["table order_items made"] * has_items,
    ]
    assert sorted(report.get("changes", {}).get("orders", [])) == sorted(told)
    new = [*["orders.zip"] * has_zip, *["order_items"] * has_items]
    said = report.get("older_rows", [])
    assert all(name in "".join(said) for name in new)
    assert ('{"reload": true, "prefixes": ["orders/"]}' in "".join(said)) is bool(new)
    if has_items:
        assert items(world) == [("O-2", "S1", 1), ("O-2", "S2", 2), ("O-4", "S1", 1)]
    # It is told once, and done once.
    again = loaded(load(world, "orders/third.jsonl", order(5, 3)))
    assert "changes" not in again
    assert contracts(world) == [1, 2]

    # A reload fills what is new. Its undo takes the file's rows away, and redo brings them back.
    reload = loaded(start(world, {"reload": True, "prefixes": ["orders/"]}))
    whole = {f"O-{n}": expected(n, new=True) for n in (1, 2, 3, 4, 5)}
    assert rows(world) == whole
    if has_items:
        counts = {1: 1, 2: 2, 4: 1, 5: 2}
        assert items(world) == [
            (f"O-{n}", f"S{i}", i) for n, most in counts.items() for i in range(1, most + 1)
        ]
    loaded(start(world, {"undo": reload["load_id"]}))
    assert rows(world) == {}
    loaded(start(world, {"redo": reload["load_id"]}))
    assert rows(world) == whole
    assert has_settled(world)


def test_the_history_has_the_new_column(deploy: Deploy) -> None:
    world = deploy(CHANGES["a column added"])
    loaded(load(world, SECOND, order(2, 2)))
    found = ask(world, "SELECT order_id, zip, valid_to IS NULL FROM sparkify.orders_history")
    assert sorted(found, key=str) == [
        ("O-1", None, True), ("O-2", "00002", True), ("O-2", None, False), ("O-3", None, True)
    ]  # fmt: skip


def test_rows_without_a_key(deploy: Deploy) -> None:
    """They get the new column when their load is undone, and its files are loaded again."""
    world = deploy(contract({**ZIP, **COLUMNS}, key=ROWS, more=ITEMS), over=ROWS_1)
    first = world.executions.all[0].report["load_id"]
    report = loaded(load(world, SECOND, order(4, 2)))
    assert rows(world) == {
        **{f"O-{n}": ("Ulm", f"shop/{n}", None) for n in (1, 2, 3)},
        "O-4": ("Ulm", "shop/4", "00004"),
    }
    assert '{"undo": "<load id>"}' in report["older_rows"][0]
    loaded(start(world, {"undo": first}))
    assert set(rows(world)) == {"O-4"}
    loaded(start(world, {"redo": first}))
    assert rows(world) == {f"O-{n}": ("Ulm", f"shop/{n}", f"{n:05}") for n in (1, 2, 3, 4)}
    assert ask(world, "SELECT COUNT(*), SUM(qty) FROM sparkify.order_items") == [(4, 5)]


@pytest.mark.parametrize("document", [{}, {"migrate": True}])
def test_without_a_file_to_load(deploy: Deploy, document: Any) -> None:
    world = deploy(ALL)
    report = loaded(start(world, document))
    assert report["status"] == ("migrated" if document else "nothing to load")
    assert "column orders.zip added" in report["changes"]["orders"]
    assert contracts(world) == [1, 2]
    assert "changes" not in loaded(start(world, document))
    assert contracts(world) == [1, 2]


def test_a_listing_changes_the_tables_before_anything_is_staged(deploy: Deploy) -> None:
    world = deploy(ALL)
    world.upload(SECOND, FILES[SECOND], event=False)
    before = len(world.warehouse.faults.ran)
    report = loaded(start(world, {}))
    ran = [one.sql for one in world.warehouse.faults.ran[before:]]
    assert report["files"]["loaded"] == 1
    assert sum(text.startswith("COPY") and "orders_stage" in text for text in ran) == 1
    assert rows(world)["O-2"] == (LONG, "shop/2", "00002")


def test_a_dry_run_says_what_the_next_load_changes(deploy: Deploy) -> None:
    world = deploy(ALL)
    report = loaded(start(world, {"dry_run": True}))
    assert "column orders.zip added" in report["changes"]["orders"]
    assert contracts(world) == [1]
    assert "zip" not in [name for (name,) in ask(world, COLUMN_NAMES.format("orders"))]


def test_the_check_says_that_the_next_load_changes_the_tables(deploy: Deploy) -> None:
    world = deploy(ALL)
    execution = start(world, {"check": True})
    (found,) = [one["found"] for one in setup_of(execution) if one["name"] == "tables"]
    assert "column orders.zip added" in found
    assert contracts(world) == [1]
    loaded(start(world, {"migrate": True}))
    assert {one["name"]: one["passed"] for one in setup_of(start(world, {"check": True}))}["tables"]


def setup_of(execution: Execution) -> list[dict[str, Any]]:
    report = (
        execution.report if execution.status == "SUCCEEDED" else json.loads(str(execution.cause))
    )
    found: list[dict[str, Any]] = report["setup"]
    return found


def test_the_first_thing_after_the_deployment_is_an_undo(deploy: Deploy) -> None:
    """The winners that are left are decided with the new columns, which the tables do not have yet."""
    world = deploy(V1)
    second = loaded(load(world, SECOND, order(2, 2)))
    world = deploy(ALL, over=world)
    loaded(start(world, {"undo": second["load_id"]}))
    assert rows(world) == {f"O-{n}": ("Ulm", f"shop/{n}", None) for n in (1, 2, 3)}


# -- going back --------------------------------------------------------------------------------


def test_going_back_to_an_earlier_contract_loads(deploy: Deploy) -> None:
    """Nothing is dropped, and what the tables have in addition stays as it is."""
    world = deploy(ALL)
    loaded(load(world, SECOND))
    world = deploy(V1, over=world)
    report = loaded(load(world, "orders/third.jsonl", order(5, 3)))
    assert "changes" not in report
    assert rows(world)["O-5"] == ("Ulm", "shop/5", None)
    assert rows(world)["O-4"] == ("Ulm", "shop/4", "00004")
    assert contracts(world) == [1, 2, 3]
    world = deploy(ALL, over=world)
    loaded(load(world, "orders/fourth.jsonl", order(6, 3, city=LONG)))
    assert rows(world)["O-6"] == (LONG, "shop/6", "00006")
    loaded(start(world, {"reload": True, "prefixes": ["orders/"]}))
    assert rows(world)["O-5"] == ("Ulm", "shop/5", "00005")


# -- what is refused ---------------------------------------------------------------------------

OTHERS = {name: kind for name, kind in COLUMNS.items() if name != "city"}
REFUSED = {
    "a column removed": (V1, contract(OTHERS), "the column city is not in the contract any more"),
    "a column renamed": (
        V1,
        contract({**OTHERS, "town": "{path: customer.address.city, type: varchar(8)}"}),
        "the column city is not in the contract any more",
    ),
    "a varchar narrowed": (
        V1,
        contract(COLUMNS | {"city": "{path: customer.address.city, type: varchar(4)}"}),
        "city is VARCHAR(8), the contract wants VARCHAR(4). That would cut its values",
    ),
    "another type": (
        V1,
        contract(COLUMNS | {"total": "double precision"}),
        "total is DECIMAL(8, 2), the contract wants DOUBLE PRECISION. Redshift cannot change",
    ),
    "a number widened": (
        V1,
        contract(COLUMNS | {"total": "decimal(12,2)"}),
        "total is DECIMAL(8, 2), the contract wants DECIMAL(12, 2). Redshift cannot change",
    ),
    "another key": (
        V1,
        contract(COLUMNS, key="key: [order_id, city]\nnewest: updated_at\n"),
        "the tables have the key [order_id] with newest: updated_at, the contract says the key [order_id, city]",
    ),
    "no key": (V1, contract(COLUMNS, key=ROWS, more=""), "the contract says no key"),
    "a key": (ROWS_1, V1, "the tables have no key, the contract says the key [order_id]"),
    "another newest": (
        V1,
        contract(COLUMNS, key="key: [order_id]\nnewest: total\n"),
        "the contract says the key [order_id] with newest: total",
    ),
    "a table of an array removed": (
        WITH_ITEMS,
        V1,
        "not in the contract any more: order_items, order_items_versions",
    ),
    "a column of an array removed": (
        WITH_ITEMS,
        WITH_ITEMS.replace(", qty: integer", ""),
        "the column qty is not in the contract any more",
    ),
    "the column by which rows are sorted removed": (
        ROWS_1,
        contract({n: k for n, k in COLUMNS.items() if n != "updated_at"}, key=ROWS, more=""),
        "the column updated_at is not in the contract any more",
    ),
    "the type of the key": (
        V1,
        contract(COLUMNS | {"order_id": "varchar(8)"}),
        "order_id is VARCHAR(16), the contract wants VARCHAR(8). That would cut its values. It is of the key",
    ),
}
BY_HAND = re.compile(r"(?:ALTER TABLE|DROP TABLE|UPDATE) [^;]*;")


@pytest.mark.parametrize("name", REFUSED if ALL_FAULTS else [*REFUSED][::4])
def test_what_would_lose_data_is_refused(deploy: Deploy, name: str) -> None:
    """Nothing is loaded and nothing is lost; every way to start a load says it, and how it is done by hand."""
    before, after, words = REFUSED[name]
    world = deploy(after, over=before)
    columns = ask(world, ALL_COLUMNS)
    was = rows(world)
    said = cause(load(world, SECOND, order(4, 2)))
    assert words in said
    assert rows(world) == was
    assert ask(world, ALL_COLUMNS) == columns
    assert contracts(world) == [1]
    assert ask(world, f"SELECT status FROM sparkify.file_status WHERE key = '{SECOND}'") == []
    for document in ({}, {"migrate": True}, {"check": True}):
        execution = start(world, document)
        report = json.loads(str(execution.cause))
        assert words in (report["setup"][3]["found"] if "setup" in report else report["cause"])
    dry = loaded(start(world, {"dry_run": True}))
    assert words in dry["refused"]["orders"]
    world.warehouse.rest()
    assert has_settled(world)

    # The SQL of the message does it.
    first = world.executions.all[0].report["load_id"]
    anew = "undo its loads" in said
    while by_hand := BY_HAND.findall(said):
        if anew:
            assert words in cause(start(world, {"undo": first}))
            world = deploy(before, over=world)
            loaded(start(world, {"undo": first}))
        for statement in by_hand:
            run(world, statement)
        if anew:
            world = deploy(after, over=world)
        execution = start(world, {"redo": first} if anew else {})
        if execution.status == "SUCCEEDED":
            break
        assert cause(execution) != said
        said = cause(execution)
    if anew:
        assert set(rows(world)) == set(was)
        loaded(start(world, {}))
    if by_hand:
        assert ask(world, f"SELECT status FROM sparkify.file_status WHERE key = '{SECOND}'") == [
            ("loaded",)
        ]
        assert has_settled(world)


ALL_COLUMNS = (
    "SELECT table_name, column_name, data_type, character_maximum_length FROM svv_columns "
    "WHERE table_schema = 'sparkify' ORDER BY table_name, column_name"
)


def test_a_table_of_somebody_else_is_left_alone(shop: Shop, tmp_path: Path) -> None:
    with World(tmp_path / "world", tree=shop.tree(orders=V1)) as world:
        loaded(start(world, {"migrate": True}))
        for table in ("orders", "orders_versions"):
            run(world, f"DROP TABLE sparkify.{table}")
        run(world, "DELETE FROM sparkify.contracts")
        run(world, "CREATE TABLE sparkify.orders (id INTEGER)")
        run(world, "INSERT INTO sparkify.orders VALUES (7)")
        said = cause(load(world, FIRST))
        assert "The table sparkify.orders exists already, and is not of the dataset orders" in said
        assert ask(world, "SELECT id FROM sparkify.orders") == [(7,)]
        for statement in BY_HAND.findall(said):
            run(world, statement)
        loaded(start(world, {}))
        assert set(rows(world)) == {"O-1", "O-2", "O-3"}
        assert ask(world, "SELECT id FROM sparkify.orders_old") == [(7,)]


def test_a_view_of_somebody_else_is_left_alone(deploy: Deploy) -> None:
    world = deploy(V1, over=contract(COLUMNS, more=""))
    run(world, "CREATE VIEW sparkify.orders_history AS SELECT 7 AS seven")
    said = cause(load(world, SECOND, order(4, 2)))
    assert "The view sparkify.orders_history exists already" in said
    assert ask(world, "SELECT seven FROM sparkify.orders_history") == [(7,)]
    for statement in BY_HAND.findall(said):
        run(world, statement)
    loaded(start(world, {}))
    assert ask(world, "SELECT COUNT(*) FROM sparkify.orders_history") == [(4,)]


def test_a_dataset_that_is_refused_holds_up_no_other(deploy: Deploy) -> None:
    world = deploy(contract(OTHERS), readings=READINGS)
    world.upload(SECOND, FILES[SECOND], event=False)
    world.upload("readings/1.csv", b"device,value\na,1\n", event=False)
    report = json.loads(str(start(world, {}).cause))
    assert report["files"] == report["files"] | {"loaded": 1, "failed": 1}
    assert "the column city" in report["cause"]
    assert ask(world, "SELECT device, value FROM sparkify.readings") == [("a", 1)]


def test_a_change_that_redshift_refuses_holds_up_no_other_dataset(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ALTER COLUMN is refused for some encodings, for example."""
    world = deploy(ALL, readings=READINGS)
    faults = world.warehouse.faults
    refusal = Fault("fail", sql=".", message='cannot alter type of column "city"')
    plain = faults.of_statement
    monkeypatch.setattr(
        faults, "of_statement", lambda text: refusal if "ALTER COLUMN" in text else plain(text)
    )
    world.upload(SECOND, FILES[SECOND], event=False)
    world.upload("readings/1.csv", b"device,value\na,1\n", event=False)
    report = json.loads(str(start(world, {}).cause))
    assert report["files"] == report["files"] | {"loaded": 1, "failed": 1}
    assert (
        'widen orders_versions.city: ERROR: cannot alter type of column "city"' in report["cause"]
    )
    monkeypatch.undo()
    loaded(start(world, {}))
    is_right(world)


READINGS = "description: R\nfiles: readings/*.csv\ncolumns: {device: varchar(8), value: integer}\n"


# -- interrupted, and at the same time ---------------------------------------------------------


def calls_of_migrate(shop: Shop, folder: Path) -> list[int]:
    """The numbers of the batches that the migrate step sends."""
    with World(folder, tree=shop.tree(orders=ALL), memory=shop.loaded(V1)) as world:
        load(world, SECOND)
        return [
            call.place.number
            for call in world.boundary.calls
            if call.place.caller == "migrate"
            and call.place.operation == "redshift-data.BatchExecuteStatement"
        ]


def is_right(world: World) -> None:
    assert rows(world) == {
        "O-1": ("Ulm", "shop/1", None),
        "O-2": (LONG, "shop/2", "00002"),
        "O-3": ("Ulm", "shop/3", None),
        "O-4": ("Ulm", "shop/4", "00004"),
    }
    assert items(world) == [("O-2", "S1", 1), ("O-2", "S2", 2), ("O-4", "S1", 1)]
    numbers = "SELECT number FROM sparkify.contracts WHERE dataset = 'orders' ORDER BY number"
    assert ask(world, numbers) == [(1,), (2,)]
    assert has_settled(world)


@pytest.mark.parametrize("kind", ["killed-before", "killed-after"])
def test_it_dies_between_two_statements(
    shop: Shop, deploy: Deploy, tmp_path: Path, kind: str
) -> None:
    numbers = calls_of_migrate(shop, tmp_path / "recorded")
    assert len(numbers) >= 10
    for number in numbers if ALL_FAULTS else numbers[-7 + (kind == "killed-after") :: 2]:
        world = deploy(ALL)
        is_submit = lambda call, n=number: (  # noqa: E731
            call.place.caller == "migrate"
            and call.place.operation == "redshift-data.BatchExecuteStatement"
            and call.place.number == n
        )
        fault = world.boundary.storm(kind, is_submit)
        load(world, SECOND)
        assert fault.struck
        world.settle()
        is_right(world)
        told = [e.report for e in world.executions.all if "changes" in (e.report or {})]
        assert len(told) == 1
        assert "column orders.zip added" in told[0]["changes"]["orders"]


@pytest.mark.parametrize("kind", ["fails", "restarts", "conflicts"])
def test_a_statement_fails(shop: Shop, deploy: Deploy, kind: str) -> None:
    """What was done stays, and the next load does the rest. All of them with FAULTS=all, as in tests/faults."""
    world = deploy(ALL)
    before = len(world.warehouse.faults.ran)
    load(world, SECOND)
    ran = world.warehouse.faults.ran[before:]
    first = next(n for n, one in enumerate(ran) if "svv_columns" in one.sql)
    last = next(n for n, one in enumerate(ran) if "INTO sparkify.contracts" in one.sql)
    assert last - first > 10
    places = range(first, last + 1)
    for number in places if ALL_FAULTS else places[2 * len(kind) % 5 :: 5]:
        world = deploy(ALL)
        world.warehouse.faults.armed[number + 1] = kind
        load(world, SECOND)
        assert world.warehouse.faults.struck
        world.settle()
        is_right(world)


def test_two_loads_at_once(deploy: Deploy) -> None:
    world = deploy(ALL)
    one, two = SECOND, "orders/third.jsonl"
    world.upload(one, FILES[SECOND], event=False)
    world.upload(two, order(5, 3), event=False)
    for key in (one, two):
        world.start({"keys": [key]})
    world.work(together=True)
    for execution in world.executions.all[-2:]:
        loaded(execution)
    assert rows(world)["O-2"] == (LONG, "shop/2", "00002")
    assert rows(world)["O-5"] == ("Ulm", "shop/5", "00005")
    assert contracts(world) == [1, 2]
    told = [e for e in world.executions.all if "changes" in e.report]
    assert len(told) == 1
