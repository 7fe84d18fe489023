"""Bad rows are left out by contract (bad_rows: row): at COPY's gate, in arrays and in times, up to a file's limit.

What must be loaded and what must be rejected follows from how each file is built, row by row.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from fakeshift import Fault
from local.states.interpreter import Stopped
from tests.stateful.worlds import FIRST, statements_kept_by_its_clock
from tests.world.executions import Execution
from tests.world.simulator import ROOT, Memory, World, load_id_of

pytestmark = [
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),
    pytest.mark.xdist_group("bad rows"),
]
COPIED = ("functions", "sql", "contracts", "statemachine", "template.yaml", "pyproject.toml")
ORDERS = """\
description: Orders
files: orders/*.jsonl
key: [order_id]
newest: updated_at
columns:
  order_id: varchar(64)
  updated_at: timestamp
  customer_id: {path: customer.id, type: bigint}
  note: {type: varchar(5), too_long: truncate}
tables:
  order_items: {each: items, columns: {sku: {type: varchar(3), too_long: truncate}, qty: integer}}
bad_rows: {row: {max: 2}}
"""
READINGS = """\
description: Readings
files: readings/*.csv
columns: {ts: timestamp, device: varchar(8), celsius: "decimal(4,1)"}
bad_rows: {row: {max: 3, percent: 25, raw: false}}
"""
SECRETS = """\
description: People
files: people/*.jsonl
columns: {name: varchar(8), email: {type: varchar(64), mask: drop}, age: integer, born: date}
bad_rows: {row: {percent: 70}}
"""
HEADER = "ts,device,celsius\n"
MAX = 2
GOOD, REFUSED, UNFIT, LATE, MISSING, JUNK = "good", "refused", "unfit", "late", "missing", "junk"
COLUMNS = {
    REFUSED: ("customer_id", 1207),
    UNFIT: ("order_items.qty", None),
    LATE: ("updated_at", None),
    MISSING: ("updated_at", None),
    JUNK: (None, 1216),
}


def record(number: int, kind: str = GOOD, pretty: bool = False) -> str:
    """An order of this number."""
    if kind == JUNK:
        return "nope"
    order: dict[str, Any] = {
        "order_id": f"o{number}",
        "updated_at": "soon" if kind == LATE else "2026-11-28T07:00:15Z",
        "customer": {"id": "x" if kind == REFUSED else number},
        "items": [{"sku": "a", "qty": 1}, {"sku": "b", "qty": "three" if kind == UNFIT else 2}],
    }
    if kind == MISSING:
        del order["updated_at"]
    return json.dumps(order, indent=1 if pretty else None)


class Built:
    """A file of orders, and what must become of it. ``number``: of its first order."""

    def __init__(
        self,
        key: str,
        number: int,
        kinds: Sequence[str],
        *,
        between: str = "\n",
        pretty: bool = False,
    ) -> None:
        self.key, self.kinds = key, kinds
        self.good = {f"o{number + n}" for n, kind in enumerate(kinds) if kind == GOOD}
        self.bad: set[tuple[Any, ...]] = set()
        text = ""
        for n, kind in enumerate(kinds):
            one = record(number + n, kind, pretty)
            text += one
            if kind != GOOD:
                column, code = COLUMNS[kind]
                self.bad.add((key, text.count("\n") + 1, column, code, one))
            text += between
        self.body = gzip.compress(text.encode()) if key.endswith(".gz") else text.encode()

    @property
    def loads(self) -> bool:
        return len(self.kinds) - len(self.good) <= MAX


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rows") / "tree"
    folder.mkdir()
    for name in COPIED:
        copy: Any = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    for name, text in (("orders", ORDERS), ("readings", READINGS), ("people", SECRETS)):
        (folder / "sql/datasets" / name).mkdir()
        (folder / "sql/datasets" / name / "dataset.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def deployed(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Memory:
    """A file of each dataset is loaded: so a check has passed, and a file may be judged by itself."""
    with World(tmp_path_factory.mktemp("deployed") / "warehouse", tree=tree) as world:
        for file in FIRST:
            world.upload(file.key, file.body)
        world.upload("orders/first.jsonl", record(0).encode())
        world.upload("readings/first.csv", f"{HEADER}2026-11-28,d0,1.5\n".encode())
        world.upload("people/first.jsonl", b'{"name": "n"}')
        world.work()
        return world.remember()


@pytest.fixture
def world(tree: Path, deployed: Memory, tmp_path: Path) -> Iterator[World]:
    with (
        World(tmp_path / "warehouse", tree=tree, memory=deployed) as found,
        statements_kept_by_its_clock(found),
    ):
        yield found


def load(world: World, files: Mapping[str, bytes]) -> Execution:
    for key, body in files.items():
        world.upload(key, body)
    world.work()
    return world.executions.all[-1]


def start(world: World, document: Any) -> Execution:
    execution = world.start(document)
    world.work()
    return execution


def rows(world: World, query: str) -> list[tuple[Any, ...]]:
    [found] = world.warehouse.query(query)
    return found


def rejected_rows(world: World) -> set[tuple[Any, ...]]:
    columns = "key, line, column_name, code, raw_record"
    return {*rows(world, f"SELECT {columns} FROM sparkify.rejected_rows")}


def statuses(world: World, prefix: str = "orders/") -> dict[str, str]:
    found = rows(world, "SELECT key, status FROM sparkify.file_status")
    return {key: status for key, status in found if key.startswith(prefix) and "first" not in key}


def check(world: World, files: Sequence[Built]) -> None:
    """The tables, the ledger and the rejected rows are those of these files."""
    loaded = [file for file in files if file.loads]
    good = {"o0"}.union(*(file.good for file in loaded))
    assert {key for (key,) in rows(world, "SELECT order_id FROM sparkify.orders")} == good
    items = rows(world, "SELECT order_id, SUM(qty), COUNT(*) FROM sparkify.order_items GROUP BY 1")
    assert {*items} == {(key, 3, 2) for key in good}
    assert statuses(world) == {f.key: "loaded" if f.loads else "rejected" for f in files}
    assert rejected_rows(world) == set().union(*(file.bad for file in loaded))


MANY = [
    Built("orders/1.jsonl", 10, [GOOD, UNFIT, GOOD]),
    Built("orders/2.jsonl", 20, [REFUSED, GOOD, GOOD]),
    Built("orders/3.jsonl", 30, [LATE, GOOD, MISSING]),
    Built("orders/4.jsonl", 40, [GOOD, GOOD]),
    Built("orders/5.jsonl", 50, [REFUSED, JUNK]),
    Built("orders/6.jsonl", 60, [REFUSED, UNFIT, GOOD, LATE]),  # each alone is within the limit
    Built("orders/7.jsonl", 70, [JUNK, JUNK, REFUSED, *[GOOD] * 9]),
    Built("orders/8.jsonl", 80, [UNFIT] * 3),
    Built("orders/9.jsonl.gz", 90, [UNFIT, GOOD, REFUSED]),
    Built("orders/10.jsonl.gz", 100, [GOOD, *[LATE] * 3]),
]  # fmt: skip


def test_each_file_is_loaded_without_its_bad_rows_or_rejected(world: World) -> None:
    execution = load(world, {file.key: file.body for file in MANY})
    assert execution.status == "SUCCEEDED", execution.report
    check(world, MANY)
    left_out = set().union(*(file.bad for file in MANY if file.loads))
    report = execution.report
    assert report["rows_rejected"] == len(left_out) == 8
    assert {
        (r["key"], r["line"], r["column_name"], r["code"]) for r in report["rejected_rows"]
    } == {row[:4] for row in left_out}
    reasons = {r["key"]: r["reason"] for r in report["rejected"]}
    first = "The first: Invalid digit, Value 'x', Pos 0, Type: Long"
    assert (
        reasons["orders/6.jsonl"]
        == f"3 of 4 rows are bad, and bad_rows allows 2 of this file. {first}"
    )
    assert "3 of 3 rows" in reasons["orders/8.jsonl"]
    assert "order_items.qty: 'three' is not an integer" in reasons["orders/8.jsonl"]
    subject, text = world.told[-1]
    assert subject == "[loader] 4 files rejected"
    assert "8 rows rejected: their files are loaded without them." in text
    assert "- orders/1.jsonl, line 2: order_items.qty: 'three' is not an integer\n" in text


def test_of_a_copy_that_has_too_many_errors_the_file_with_too_many_is_rejected(
    world: World,
) -> None:
    """MAXERROR is the sum of the files' limits: COPY fails, and NOLOAD counts the errors of each file."""
    files = [
        Built("orders/1.jsonl", 10, [REFUSED] * 5),
        Built("orders/2.jsonl", 20, [GOOD, REFUSED]),
    ]
    execution = load(world, {file.key: file.body for file in files})
    check(world, files)
    [rejected] = execution.report["rejected"]
    assert rejected["reason"].startswith("5 rows are bad, and bad_rows allows 2 of this file.")


def test_of_a_copy_that_has_too_many_errors_a_limit_in_percent_is_counted(world: World) -> None:
    good, bad = "2026-11-28,d,1.5\n", "2026-11-28,d,warm\n"
    files = {
        "readings/a.csv": f"{HEADER}{good * 9}{bad * 3}",  # a quarter
        "readings/b.csv": f"{HEADER}{good * 8}{bad * 3}",
        "readings/c.csv": f"{HEADER}{bad * 9}",
    }
    load(world, {key: text.encode() for key, text in files.items()})
    assert statuses(world, "readings/") == {
        "readings/a.csv": "loaded",
        "readings/b.csv": "rejected",
        "readings/c.csv": "rejected",
    }
    assert len(rejected_rows(world)) == 3
    assert rows(world, "SELECT COUNT(*) FROM sparkify.readings WHERE device = 'd'") == [(9,)]


def test_a_load_with_bad_rows_alone_is_told(world: World) -> None:
    load(world, {"orders/1.jsonl": MANY[0].body})
    assert world.told[-1][0] == "[loader] 1 row rejected"


def test_undo_redo_reload_and_duplicates(world: World) -> None:
    files = [MANY[0], MANY[1], MANY[8]]
    first = load_id_of(load(world, {file.key: file.body for file in files}))
    check(world, files)
    for file in files:
        world.upload(file.key, file.body)  # its event comes again
    world.work()
    check(world, files)
    again = load_id_of(start(world, {"reload": True, "prefixes": ["orders/1.jsonl"]}))
    check(world, files)
    of_load = dict(rows(world, "SELECT load_id, COUNT(*) FROM sparkify.rejected_rows GROUP BY 1"))
    assert of_load == {first: 3, again: 1}
    assert start(world, {"undo": again}).status == "SUCCEEDED"
    assert rejected_rows(world) == MANY[1].bad | MANY[8].bad
    assert start(world, {"undo": first}).status == "SUCCEEDED"
    assert not rejected_rows(world)
    assert rows(world, "SELECT order_id FROM sparkify.orders") == [("o0",)]
    for load_id in (first, again):
        assert start(world, {"redo": load_id}).status == "SUCCEEDED"
    check(world, files)


def test_a_corrected_file_of_the_bad_rows_alone(world: World) -> None:
    """As the message says: a file of their own."""
    load(world, {MANY[0].key: MANY[0].body})
    load(world, {"orders/corrected.jsonl": record(11).encode()})
    found = rows(world, "SELECT order_id FROM sparkify.orders ORDER BY 1")
    assert found == [("o0",), ("o10",), ("o11",), ("o12",)]


def test_objects_over_many_lines_and_side_by_side(world: World) -> None:
    """The lines that COPY scanned are not the records: the loader counts them."""
    files = [
        Built("orders/p.jsonl", 10, [GOOD, UNFIT, REFUSED, GOOD], pretty=True),
        Built("orders/s.jsonl", 20, [GOOD, UNFIT, GOOD, LATE], between=" "),
    ]
    assert load(world, {file.key: file.body for file in files}).status == "SUCCEEDED"
    check(world, files)


def test_as_many_rows_as_lines_hide_no_refused_one(world: World) -> None:
    text = f"{record(10)} {record(11)}\n{record(12, REFUSED)}\n"
    load(world, {"orders/a.jsonl": text.encode()})
    assert {key for (key,) in rows(world, "SELECT order_id FROM sparkify.orders")} == {
        "o0",
        "o10",
        "o11",
    }
    [row] = rejected_rows(world)
    assert row[:4] == ("orders/a.jsonl", 2, "customer_id", 1207)


def test_which_of_two_records_on_a_line_is_bad(world: World) -> None:
    """Of one file Redshift's count decides, of two it is not known which: they are loaded one by one."""
    two = [Built(f"orders/{n}.jsonl", 10 * n, [REFUSED, UNFIT, GOOD], between=" ") for n in (1, 2)]
    assert load(world, {file.key: file.body for file in two}).status == "SUCCEEDED"
    assert statuses(world) == {file.key: "loaded" for file in two}
    counted = rows(world, "SELECT key, COUNT(*) FROM sparkify.rejected_rows GROUP BY 1 ORDER BY 1")
    assert counted == [("orders/1.jsonl", 2), ("orders/2.jsonl", 2)]
    found = rows(world, "SELECT order_id FROM sparkify.orders ORDER BY 1")
    assert found == [("o0",), ("o12",), ("o22",)]


@pytest.mark.parametrize(
    ("kinds", "left_out"),
    [("gggb", 1), ("ggb", None), ("gbbbggggggggg", 3), ("gbbbb" + "g" * 99, None), ("gggu", 1),
     ("gggtbgggg", 2), ("gggtbg", None)],
)  # fmt: skip
def test_the_smaller_of_rows_and_percent(world: World, kinds: str, left_out: int | None) -> None:
    """3 rows at most, and a quarter of the file's."""
    lines = {
        "g": "2026-11-28,d,1.5",
        "b": "2026-11-28,d,warm",
        "u": "2026-11-28,d,1.55",
        "t": "soon,d,1",
    }
    body = HEADER + "".join(f"{lines[kind]}\n" for kind in kinds)
    load(world, {"readings/a.csv": body.encode()})
    [(count,)] = rows(world, "SELECT COUNT(*) FROM sparkify.readings WHERE device = 'd'")
    rejected = rejected_rows(world)
    if left_out is None:
        assert (count, rejected) == (0, set())
        assert statuses(world, "readings/") == {"readings/a.csv": "rejected"}
    else:
        assert (count, len(rejected)) == (kinds.count("g"), left_out)
        bad = {n + 2 for n, kind in enumerate(kinds) if kind != "g"}
        assert {row[1] for row in rejected} == bad
        assert {row[4] for row in rejected} == {None}  # raw: false


def test_of_a_dataset_with_masked_columns_no_text_is_kept(world: World) -> None:
    body = b'{"name": "a", "email": "a@example.com", "born": "b@example.com"}\n{"name": "b"}\n{"age": "c@\n{}'
    load(world, {"people/a.jsonl": body})
    assert len(rejected_rows(world)) == 2
    assert "example.com" not in str(rows(world, "SELECT * FROM sparkify.rejected_rows"))
    assert "example.com" not in str(world.told)


def test_of_a_dataset_of_which_nothing_has_loaded_a_file_with_too_many_waits(
    tree: Path, tmp_path: Path
) -> None:
    """The contract may be wrong, not the file."""
    with World(tmp_path / "warehouse", tree=tree) as new:
        file = Built("orders/1.jsonl", 10, [UNFIT] * 3)
        execution = load(new, {file.key: file.body})
        assert statuses(new) == {file.key: "waiting"}
        assert execution.status == "FAILED"


@contextmanager
def reports(world: World, *, after: int = 0, lost: int = 0) -> Iterator[list[str]]:
    """The errors of a COPY are seen after so many looks, and so many of them never."""
    kept = world.warehouse.local.records
    add, found = kept.add, kept.rows
    held: list[list[Any]] = []
    looks: list[str] = []

    def adding(table: str, records: Any) -> None:
        if table == "load_error_detail":
            held.append(list(records)[lost:])
        else:
            add(table, records)

    def reading(table: str, *which: Any) -> list[Any]:
        if table == "load_error_detail":
            looks.append(table)
            while held and len(looks) > after:
                add(table, held.pop())
        return found(table, *which)

    with mock.patch.object(kept, "add", adding), mock.patch.object(kept, "rows", reading):
        yield looks


def test_errors_that_are_reported_late_are_waited_for(world: World) -> None:
    with reports(world, after=3) as looks:
        load(world, {MANY[1].key: MANY[1].body, MANY[2].key: MANY[2].body})
    assert len(looks) > 3
    check(world, [MANY[1], MANY[2]])


def test_errors_that_are_never_reported_publish_nothing(world: World) -> None:
    with reports(world, lost=1):
        execution = load(world, {MANY[1].key: MANY[1].body, MANY[4].key: MANY[4].body})
    assert execution.status == "FAILED"
    assert "report on the rows that COPY has refused is incomplete" in execution.report["cause"]
    assert statuses(world) == {}
    assert not rejected_rows(world)
    assert rows(world, "SELECT order_id FROM sparkify.orders") == [("o0",)]
    world.settle()
    check(world, [MANY[1], MANY[4]])


@pytest.mark.parametrize(
    "statement", ["COPY sparkify.rejected_rows", "INSERT INTO sparkify.orders"]
)
def test_rows_and_rejected_rows_are_published_together(world: World, statement: str) -> None:
    faults = world.warehouse.faults
    of_statement = faults.of_statement

    def at_statement(text: str) -> Fault | None:
        if text.startswith(statement):
            return Fault("fail", sql=".", message="an internal error of a compute node")
        return of_statement(text)

    with mock.patch.object(faults, "of_statement", at_statement):
        load(world, {MANY[0].key: MANY[0].body})
    assert not rejected_rows(world)
    assert rows(world, "SELECT order_id FROM sparkify.orders") == [("o0",)]
    world.settle()
    check(world, [MANY[0]])


def test_a_publish_whose_answer_is_lost(world: World) -> None:
    """It has committed: the second attempt deletes what it left, and its rejected rows are not there twice."""

    def stop(_execution: Execution, state: str) -> None:
        if state == "Published?":
            raise Stopped

    world.warehouse.slow = True
    world.executions.at_state = stop
    stopped = load(world, {MANY[0].key: MANY[0].body})
    assert stopped.status == "ABORTED"
    world.warehouse.rest()
    check(world, [MANY[0]])
    world.executions.at_state = lambda _execution, _state: None
    world.clock.advance(2 * 86_400)
    assert world.redrive(stopped).status == "SUCCEEDED"
    check(world, [MANY[0]])
    assert len(rows(world, "SELECT key FROM sparkify.rejected_rows")) == 1


def test_texts_that_are_cut_are_counted(world: World) -> None:
    order = json.loads(record(10))
    long = {**order, "note": "longer", "items": [{"sku": "äb", "qty": 1}, {"sku": "äbc", "qty": 2}]}
    fits = {**order, "order_id": "o11", "note": "short"}
    body = "\n".join(json.dumps(one) for one in (long, fits, {**long, "order_id": "o12"}))
    report = load(world, {"orders/a.jsonl": body.encode()}).report
    assert report["cut"] == [
        {"dataset": "orders", "column": "note", "rows": 2},
        {"dataset": "orders", "column": "order_items.sku", "rows": 2},
    ]
    assert {*rows(world, "SELECT note FROM sparkify.orders WHERE order_id <> 'o0'")} == {
        ("longe",),
        ("short",),
    }
