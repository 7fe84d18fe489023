"""Three datasets that are not Sparkify, side by side with it: orders with updates and items, readings in gzipped CSV,
events whose keys drift. Each is a contract (own/).

What is loaded is compared with what plain Python finds in the files: in a few that are built here, and in those of
../shared/data/own, where they are, whose README says the same.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.stateful.test_second_dataset import start
from tests.stateful.worlds import FIRST, statements_kept_by_its_clock
from tests.world import oracle
from tests.world.executions import Execution
from tests.world.files import Event
from tests.world.simulator import ROOT, Memory, World, load_id_of
from tests.world.trees import with_contracts

OWN = Path(__file__).parent / "own"
SHARED = ROOT.parent / "shared" / "data" / "own"
DATASETS = ("orders", "readings", "events")
HEADER = "ts,device_id,temperature_c,humidity_pct,battery_v"
NEWEST = "orders/2026/11/29/orders-20261129.jsonl"

Files = dict[str, bytes]
Truth = dict[str, Any]

# What ../shared/data/own/README.md says of its files.
README: Truth = {
    "orders": 360,
    "versions": 565,  # of 566 lines: the replayed one was there
    "statuses": {"placed": 194, "paid": 114, "shipped": 38, "cancelled": 14},
    "with a coupon": 66,
    "with a gift message": 34,
    "e-mail addresses": 79,
    "totals": Decimal("86980.80"),
    "items": 920,
    "quantity": 1843,
    "readings": 1728,
    "temperatures": Decimal("34531.21"),
    "empty humidities": 25,
    "events": {"PushEvent": 130, "IssuesEvent": 117, "PullRequestEvent": 108, "WatchEvent": 95},
    "sizes as text": 20,
}

# What each bad file's reason says; None for a file that loads. Files that no dataset takes are NOT_TAKEN.
WORDS: dict[str, str | None] = {
    "orders/g/fine.jsonl": None,
    "orders/g/guest.jsonl": "A string, a number or a list instead of an object",
    "orders/p/good1.jsonl": None,
    "orders/p/good2.jsonl": None,
    "orders/p/pretty.jsonl": None,  # one object over many lines
    "orders/p/zero.jsonl": None,
    # 27.11.2026 15:37:53Z: COPY's TIMEFORMAT 'auto' would take it, a contract takes ISO 8601.
    "orders/p/badts.jsonl": "updated_at: '27.11.2026 15:37:53Z' is not a timestamp",
    "orders/p/bom.jsonl": "The file begins with a byte order mark",
    "orders/p/html.jsonl": "The file is HTML",
    "orders/p/longstr.jsonl": "String length exceeds DDL length",
    "orders/p/nan.jsonl": "Not a JSON object: truncated",
    "orders/p/null.jsonl": "The file begins with true, false or null",
    "orders/p/scalar.jsonl": "The file begins with a number",
    "orders/p/truncated.jsonl": "Not a JSON object: truncated",
    "orders/p/utf16.jsonl": "The file is UTF-16",
    "log_data/p/good.json": None,
    "log_data/p/array.json": "The file is a JSON array; one object for each record is required",
    "orders/2026/12/01/newkey.jsonl": None,
    "orders/2026/12/01/array.jsonl": "The file is a JSON array; one object for each record is required",
    "events/2026/12/01/renamed.json": None,
    "readings/2026/12/01/swapped.csv.gz": None,
    "readings/2026/12/01/plain.csv": None,
    "readings/2026/12/01/empty.csv.gz": None,
    "readings/2026/12/01/extra.csv.gz": None,  # a column that nobody knows is not loaded, and told
    "readings/2026/12/01/missing.csv.gz": "missing: humidity_pct",
    "readings/2026/12/01/noheader.csv.gz": "not a header",
    "readings/2026/12/01/notgzip.csv.gz": "The file is not gzip",
}
NOT_TAKEN = {
    "orders/2026/12/01/orders.csv": b"a,b\n1,2\n",
    "orders/2026/12/01/orders.json": b"{}\n",
}

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = [
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),
    # In one of pytest's workers: what these tests share is prepared once.
    pytest.mark.xdist_group("own datasets"),
]


# -- files that are built here -----------------------------------------------------------------


def order(number: int, day: int, status: str = "placed", **more: Any) -> dict[str, Any]:
    """A version of an order, updated on a day of November."""
    items = [{"sku": f"SKU-{n}", "qty": n + number % 2, "price": 9.5 + n} for n in range(1, 4)]
    return {
        "order_id": f"O-{number}",
        "status": status,
        "created_at": "2026-11-27T05:47:24Z",
        "updated_at": f"2026-11-{day}T{number // 60:02}:47:{number % 60:02}Z",
        "customer": {"id": number, "name": "Zoë", "email": f"user{number % 5}@example.de"},
        "items": items[: number % 4],
        "currency": "EUR",
        "total": 10.25 + number,
        **more,
    }


def event(number: int, day: int, **more: Any) -> dict[str, Any]:
    pushed = {"size": number, "ref": "refs/heads/main", "commits": [{"sha": "e6b4"}]}
    return {
        "id": f"{day}{number:06}",
        "type": "PushEvent" if number % 2 else "WatchEvent",
        "actor": {"id": number, "login": f"dev{number}"},
        "repo": {"id": 1, "name": "acme/repo1"},
        "payload": pushed if number % 2 else {"action": "started"},
        "public": True,
        "created_at": f"2026-11-{day}T08:56:{number % 60:02}Z",
        **more,
    }


def lines(records: list[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records).encode()


def readings(*rows: str, header: str = HEADER) -> bytes:
    return gzip.compress("".join(f"{row}\n" for row in (header, *rows) if row).encode(), mtime=0)


def built() -> Files:
    """Three days: orders are updated, one old version comes late, events get a key and sizes of another type."""
    gift, coupon = {"gift_message": "À bientôt"}, {"coupon": {"code": "FIVE", "percent": 5}}
    files = {
        "orders/2026/11/27/orders-20261127.jsonl": lines([order(n, 27) for n in range(20)]),
        "orders/2026/11/28/orders-20261128.jsonl": lines(
            [order(n, 28, "paid", **coupon) for n in range(3, 9)]
            + [order(n, 28) for n in range(20, 25)]
        ),
        NEWEST: lines([order(n, 29, "shipped", items=[], **gift) for n in range(6, 12)]),
        "orders/2026/11/30/orders-replay.jsonl": lines([order(4, 27)]),
    }
    for day in (27, 28, 29):
        changed = {"installation": {"app": "ci-bot"}} if day == 29 else {}
        events = [event(n, day, **changed) for n in range(70)]
        if day == 29:
            for one in events[1:6:2]:
                one["payload"]["size"] = f"{one['payload']['size']} commits"
        files[f"events/2026/11/{day}/events-202611{day}.json"] = lines(events)
        for device in (0, 1):
            files[f"readings/2026/11/{day}/dev-{device:02}.csv.gz"] = readings(
                *(
                    f"2026-11-{day}T00:{n}0:00Z,dev-{device:02},{18 + n / 100},{'' if n == 5 else 40.5},3.4"
                    for n in range(6)
                )
            )
    return files


def built_bad() -> Files:
    """A file for each of WORDS, and beside them those that no dataset takes."""
    row = "2026-12-01T00:00:00Z,dev-90,20.1,55.5,3.2"
    plain = {name: lines([order(40 + n, 27)]) for n, name in enumerate(WORDS)}
    renamed = [event(n, 30) for n in range(150)]
    for one in renamed:
        one["repo"]["full_name"] = one["repo"].pop("name")
    plays = [Event(user=7, session=9, item=n).record() for n in range(2)]
    good = plain["orders/p/bom.jsonl"]
    december = "readings/2026/12/01/"
    return plain | {
        "orders/g/guest.jsonl": lines([order(60, 27, customer="guest")]),
        "orders/p/pretty.jsonl": json.dumps(order(61, 27), indent=2).encode(),
        "orders/p/zero.jsonl": b"",
        "orders/p/badts.jsonl": lines([order(62, 27, updated_at="27.11.2026 15:37:53Z")]),
        "orders/p/bom.jsonl": b"\xef\xbb\xbf" + good,
        "orders/p/html.jsonl": b"<html><body>502 Bad Gateway</body></html>\n",
        "orders/p/longstr.jsonl": lines([order(63, 27, currency="EURO")]),
        "orders/p/nan.jsonl": lines([order(64, 27, total=float("nan"))]),
        "orders/p/null.jsonl": b"null\n",
        "orders/p/scalar.jsonl": b"42\n",
        "orders/p/truncated.jsonl": lines([order(65, 27)]) + good[:100],
        "orders/p/utf16.jsonl": good.decode().encode("utf-16"),
        "log_data/p/good.json": lines(plays[:1]),
        "log_data/p/array.json": json.dumps(plays[1:]).encode(),
        "orders/2026/12/01/newkey.jsonl": lines([order(66, 27, loyalty_points=12)]),
        "orders/2026/12/01/array.jsonl": json.dumps([order(67, 27)]).encode(),
        "events/2026/12/01/renamed.json": lines(renamed),
        f"{december}swapped.csv.gz": readings(
            "2026-12-01T00:00:00Z,dev-90,55.5,20.1,3.2",
            header="ts,device_id,humidity_pct,temperature_c,battery_v",
        ),
        f"{december}plain.csv": gzip.decompress(readings(row)),
        f"{december}empty.csv.gz": readings(),
        f"{december}extra.csv.gz": readings(f"{row},-70", header=f"{HEADER},rssi"),
        f"{december}missing.csv.gz": readings(
            "2026-12-01T00:00:00Z,dev-92,20.1,3.2", header=HEADER.replace("humidity_pct,", "")
        ),
        f"{december}noheader.csv.gz": readings(row, row, header=""),
        f"{december}notgzip.csv.gz": gzip.decompress(readings(row)),
        **NOT_TAKEN,
    }


# -- where the files are -----------------------------------------------------------------------


def beneath(folder: Path) -> Files:
    """Key -> content of the files of a folder, in the order of their keys."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def shared() -> Files:
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there: these files are not part of the project")
    found = beneath(SHARED)
    return {key: body for key, body in found.items() if key.split("/")[0] in DATASETS}


def shared_bad() -> Files:
    shared()
    return {
        key: body for of in ("guest", "poison", "more") for key, body in beneath(SHARED / "bad" / of).items()
    }  # fmt: skip


def given(source: str, *, bad: bool = False) -> Files:
    if source == "built here":
        return built_bad() if bad else built()
    return shared_bad() if bad else shared()


SOURCES = pytest.mark.parametrize("source", ["built here", "shared"])


# -- what is in them, and what is loaded ---------------------------------------------------------


def objects(body: bytes) -> list[dict[str, Any]]:
    """The JSON objects of a file, one after another."""
    text, found, place = body.decode(), [], 0
    while place < len(text.rstrip()):
        value, place = json.JSONDecoder(parse_float=Decimal).raw_decode(text, place)
        found.append(value)
        place += len(text[place:]) - len(text[place:].lstrip())
    return found


def truth(files: Mapping[str, bytes]) -> Truth:
    """What must be in the tables of these files, in plain Python."""
    versions = [o for key in files if key.startswith("orders/") for o in objects(files[key])]
    newest: dict[str, dict[str, Any]] = {}
    for one in sorted(versions, key=lambda version: str(version["updated_at"])):
        newest[one["order_id"]] = one
    orders = newest.values()
    events = [e for key in files if key.startswith("events/") for e in objects(files[key])]
    rows = []
    for key, body in files.items():
        if key.startswith("readings/"):
            text = (gzip.decompress(body) if key.endswith(".gz") else body).decode()
            rows += list(csv.DictReader(io.StringIO(text)))
    items = [item for one in orders for item in one["items"]]
    return {
        "orders": len(orders),
        "versions": len({(one["order_id"], one["updated_at"]) for one in versions}),
        "statuses": dict(Counter(one["status"] for one in orders)),
        "with a coupon": sum("coupon" in one for one in orders),
        "with a gift message": sum("gift_message" in one for one in orders),
        "e-mail addresses": len({one["customer"]["email"] for one in orders}),
        "totals": sum((Decimal(one["total"]) for one in orders), Decimal(0)),
        "items": len(items),
        "quantity": sum(item["qty"] for item in items),
        "readings": len(rows),
        "temperatures": sum((Decimal(row["temperature_c"]) for row in rows), Decimal(0)),
        "empty humidities": sum(not row["humidity_pct"] for row in rows),
        "events": dict(Counter(one["type"] for one in events)),
        "sizes as text": sum(isinstance(one["payload"].get("size"), str) for one in events),
    }


def loaded(world: World) -> Truth:
    """The same of the tables."""

    def one(query: str) -> tuple[Any, ...]:
        (rows,) = world.warehouse.query(query)
        return tuple(rows[0])

    def counts(column: str, table: str) -> dict[str, int]:
        query = f"SELECT {column}, COUNT(*) FROM sparkify.{table} GROUP BY 1"
        (rows,) = world.warehouse.query(query)
        return dict(rows)

    orders, coupons, gifts, emails, totals = one(
        "SELECT COUNT(*), COUNT(coupon_code), COUNT(gift_message), COUNT(DISTINCT customer_email),"
        " COALESCE(SUM(total), 0) FROM sparkify.orders"
    )
    (versions,) = one(
        "SELECT COUNT(*) FROM (SELECT DISTINCT order_id, updated_at FROM sparkify.orders_versions) AS v"
    )
    items, quantity = one("SELECT COUNT(*), COALESCE(SUM(qty), 0) FROM sparkify.order_items")
    readings, temperatures, humid = one(
        "SELECT COUNT(*), COALESCE(SUM(temperature_c), 0), COUNT(humidity_pct) FROM sparkify.readings"
    )
    (sizes,) = one("SELECT COUNT(*) FROM sparkify.events WHERE payload_size LIKE '%commits'")
    return {
        "orders": orders,
        "versions": versions,
        "statuses": counts("status", "orders"),
        "with a coupon": coupons,
        "with a gift message": gifts,
        "e-mail addresses": emails,
        "totals": Decimal(totals),
        "items": items,
        "quantity": quantity,
        "readings": readings,
        "temperatures": Decimal(temperatures),
        "empty humidities": readings - humid,
        "events": counts("type", "events"),
        "sizes as text": sizes,
    }


# -- worlds --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the product with the three datasets."""
    texts = {name: (OWN / name / "dataset.yaml").read_text(encoding="utf-8") for name in DATASETS}
    return with_contracts(tmp_path_factory.mktemp("own") / "tree", texts)


@pytest.fixture(scope="module")
def deployed(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Memory:
    """Sparkify's files are loaded, and nothing of the three datasets."""
    with World(tmp_path_factory.mktemp("deployed") / "warehouse", tree=tree) as world:
        load(world, {file.key: file.body for file in FIRST})
        return world.remember()


@pytest.fixture
def world(tree: Path, deployed: Memory, tmp_path: Path) -> Iterator[World]:
    with (
        World(tmp_path / "warehouse", tree=tree, memory=deployed) as found,
        statements_kept_by_its_clock(found),
    ):
        yield found


def load(world: World, files: Mapping[str, bytes]) -> Execution:
    """Uploads the files together; the execution that loaded them."""
    for key, body in files.items():
        world.upload(key, body)
    world.work()
    execution = world.executions.all[-1]
    assert execution.status == "SUCCEEDED", execution.report
    return execution


def check(world: World, files: Mapping[str, bytes], sparkify: bool = True) -> None:
    """The tables are those of these files, and Sparkify's those of its first."""
    assert loaded(world) == truth(files)
    first = {file.key: file.body for file in FIRST} if sparkify else {}
    assert oracle.diff(oracle.tables(first), world.warehouse.star()) == ""


def ledger(world: World, column: str = "status") -> dict[str, Any]:
    """Key -> status (or another column) of the files beside FIRST."""
    (rows,) = world.warehouse.query(f"SELECT key, {column} FROM sparkify.file_status")
    return {key: value for key, value in rows if key not in {file.key for file in FIRST}}


def by_day(files: Files) -> list[Files]:
    days: dict[str, Files] = {}
    for key, body in files.items():
        days.setdefault("/".join(key.split("/")[1:4]), {})[key] = body
    return [days[day] for day in sorted(days)]


# -- tests ---------------------------------------------------------------------------------------


@SOURCES
def test_all_beside_sparkify_and_undo_redo_and_reset(world: World, source: str) -> None:
    files = given(source)
    if source == "shared":
        assert truth(files) == README
    loads = [load(world, day) for day in by_day(files)]
    check(world, files)
    keys = {key["path"] for key in loads[2].report["sample"]["keys"] if key["new"]}
    assert keys == {"installation"}
    # The newest but one: the late old version changes nothing, and the day before is there again.
    newest = by_day(files)[2]
    left = {key: body for key, body in files.items() if key not in newest}
    undone = start(world, {"undo": load_id_of(loads[2])})
    assert undone.status == "SUCCEEDED", undone.report
    assert sorted(undone.report["undo"]["done"]) == sorted(DATASETS)
    check(world, left)
    world.settle()
    check(world, left)
    assert start(world, {"redo": load_id_of(loads[2])}).status == "SUCCEEDED"
    check(world, files)
    assert start(world, {"reload": True, "keys": [NEWEST]}).status == "SUCCEEDED"
    check(world, files)
    assert start(world, {"reset": True}).status == "SUCCEEDED"
    check(world, {}, sparkify=False)
    assert start(world, {}).status == "SUCCEEDED"
    check(world, files)
    assert set(ledger(world).values()) == {"loaded"}


def test_a_dataset_that_lost_a_table_holds_up_no_other(world: World) -> None:
    """order_items was dropped, or came into tables.sql too late; those of events and readings are not there yet."""
    files = built()
    orders = {key: body for key, body in files.items() if key.startswith("orders/")}
    load(world, {NEWEST: orders.pop(NEWEST)})
    dropped = "order_items, events_stage, events, readings_stage, readings"
    tables = (f"sparkify{'_loader' if '_stage' in t else ''}.{t}" for t in dropped.split(", "))
    world.warehouse.execute(f"DROP TABLE {', '.join(tables)}")
    for key, body in files.items():
        world.upload(key, body)
    world.work()
    failed = world.executions.all[-1]
    assert "sparkify.order_items is missing" in failed.report["cause"]
    world.sweep()
    world.work()
    statuses = ledger(world)
    others = {key for key in files if not key.startswith("orders/")}
    assert {key: statuses.get(key) for key in others} == dict.fromkeys(others, "loaded")
    assert orders.keys().isdisjoint(statuses)


@SOURCES
@pytest.mark.parametrize("before", [True, False], ids=["after good files", "first of all"])
def test_bad_files_are_rejected_one_by_one_and_the_rest_loads(
    world: World, source: str, before: bool
) -> None:
    files, bad = given(source), given(source, bad=True)
    assert bad.keys() == WORDS.keys() | NOT_TAKEN
    if before:
        load(world, files)
    execution = load(world, bad)
    assert ledger(world) == {
        **(dict.fromkeys(files, "loaded") if before else {}),
        **{key: "rejected" if word else "loaded" for key, word in WORDS.items()},
    }
    reasons = ledger(world, "reason")
    wrong = {key: reasons[key] for key, word in WORDS.items() if word and word not in reasons[key]}
    assert not wrong
    good = {key: body for key, body in bad.items() if key in WORDS and not WORDS[key]}
    del good["log_data/p/good.json"]
    assert loaded(world) == truth({**(files if before else {}), **good})
    query = "SELECT temperature_c, humidity_pct FROM sparkify.readings WHERE device_id = 'dev-90'"
    (rows,) = world.warehouse.query(query)
    assert {tuple(map(float, row)) for row in rows} == {(20.1, 55.5)}  # swapped.csv.gz
    sample = execution.report["sample"]
    new = {key["path"]: key["file"] for key in sample["keys"] if key["new"]}
    assert new["loyalty_points"] == "orders/2026/12/01/newkey.jsonl"
    assert new["repo.full_name"] == "events/2026/12/01/renamed.json"
    if before:
        assert "repo_name" in {column["column"] for column in sample["empty_columns"]}
    seen = start(world, {"dry_run": True}).report["not_taken"]
    assert (seen["files"], sorted(seen["keys"])) == (2, sorted(NOT_TAKEN))
    world.settle()  # no sweep tries a rejected file again
    assert loaded(world) == truth({**(files if before else {}), **good})
