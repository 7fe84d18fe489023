"""Unknown keys become columns: lines are added at their place, and nothing else changes."""

from pathlib import Path

import pytest

from contracts import reading
from contracts.document import ContractError
from contracts.evolving import Evolved, Wanted, evolve
from contracts.model import Contract

ORDERS = """\
# yaml-language-server: $schema=…
description: Orders
files: orders/*.jsonl
key: [id]
newest: at
columns:
  id: varchar(16)        # the shop's
  at: timestamp
  # The price as it was.
  total:
    type: decimal(12,2)
    path: sum.total      # in euros

# What is in an order.
tables:
  order_items: {each: items, columns: {sku: varchar(64), "qty": integer}}
  order_notes:
    each: notes.list
    columns: {
      text: "varchar(64)",
    }
checks: {order_items.qty: ">= 1"}"""


def evolved(tmp_path: Path, *wanted: tuple[str, str], text: str = ORDERS) -> Evolved:
    source = tmp_path / "orders" / "dataset.yaml"
    source.parent.mkdir(exist_ok=True)
    source.write_text(text)
    return evolve(source, [Wanted(*one) for one in wanted], shown="dataset.yaml")


def contract(tmp_path: Path, text: str) -> Contract:
    found = reading.parse(text, "orders", tmp_path / "orders" / "dataset.yaml")
    assert isinstance(found, Contract)
    return found


def test_lines_are_added_where_they_belong(tmp_path: Path) -> None:
    found = evolved(
        tmp_path,
        ("vip", "vip: boolean"),
        ("customer.e-mail", "customer_e_mail: {path: customer.e-mail, type: varchar(64)}"),
        ("items[].colour", "colour: varchar(16)"),
        ("items[].size.eu", "size_eu: {path: size.eu, type: bigint}"),
        ("notes.list[].by", "by: varchar(32)"),
    )
    wanted = (
        ORDERS.replace(
            "    path: sum.total      # in euros\n",
            "    path: sum.total      # in euros\n  vip: boolean\n"
            "  customer_e_mail: {path: customer.e-mail, type: varchar(64)}\n",
        )
        .replace(
            '"qty": integer}',
            '"qty": integer, colour: varchar(16), size_eu: {path: size.eu, type: bigint}}',
        )
        .replace('text: "varchar(64)",', 'text: "varchar(64)", by: varchar(32),')
    )
    assert found.text == wanted
    assert [one.path for one in found.added] == [
        "vip", "customer.e-mail", "items[].colour", "items[].size.eu", "notes.list[].by"
    ]  # fmt: skip
    made = contract(tmp_path, found.text)
    assert str(made.column("customer_e_mail").paths[0]) == "customer.e-mail"
    assert [column.name for column in made.children[0].columns] == [
        "sku",
        "qty",
        "colour",
        "size_eu",
    ]


def test_columns_at_the_end_of_a_file_without_a_line_end(tmp_path: Path) -> None:
    text = "description: d\nfiles: orders/*.jsonl\ncolumns:\n    a: bigint"
    found = evolved(tmp_path, ("b", "b: date"), text=text)
    assert found.text == f"{text}\n    b: date\n"


def test_a_name_that_is_used_gets_a_number(tmp_path: Path) -> None:
    found = evolved(tmp_path, ("orders.total", "total: {path: orders.total, type: bigint}"),
                    ("Id", "id: {path: Id, type: varchar(16)}"), ("items[].id", "id: varchar(16)"))  # fmt: skip
    assert "  total_2: {path: orders.total, type: bigint}\n" in found.text
    assert "  id_2: {path: Id, type: varchar(16)}\n" in found.text
    # The key of the order is in its items too.
    assert "id_2: {path: id, type: varchar(16)}}}" in found.text
    assert len(found.added) == 3


def test_what_cannot_be_added_is_told(tmp_path: Path) -> None:
    found = evolved(
        tmp_path,
        ("tags[].name", "name: varchar(16)"),
        ("sum.total", "sum_total: {path: sum.total, type: bigint}"),
        ("it's", 'it_s: {path: "[\\"it\'s\\"]", type: bigint}'),
        ("x", "not a line"),
        ("y", "y: text"),
    )
    assert found.text == ORDERS
    assert found.added == ()
    assert found.left["tags[].name"].startswith("there is no table of tags")
    assert found.left["sum.total"] == "a column takes it already"
    assert {*found.left} == {"tags[].name", "sum.total", "it's", "x", "y"}
    assert "use varchar(n)" in found.left["y"]


def test_a_column_of_csv_is_known_by_its_name_in_the_header(tmp_path: Path) -> None:
    text = (
        "description: d\nfiles: orders/*.csv\ncolumns: {a: bigint, when: {type: date, path: Day}}\n"
    )
    found = evolved(
        tmp_path,
        ("owner id", 'owner_id: {path: "owner id", type: varchar(16)}'),
        ("day", "day: date"),
        ("a[]", 'a_2: {path: "a[]", type: bigint}'),
        text=text,
    )
    assert found.left == {"day": "a column takes it already"}
    columns = contract(tmp_path, found.text).columns
    assert [str(column.paths[0].steps[0]) for column in columns] == ["a", "Day", "owner id", "a[]"]


def test_hand_written_sql_and_a_wrong_contract_are_refused(tmp_path: Path) -> None:
    by_hand = "description: d\nsql: true\nfiles: orders/*.csv\nstage_table: order_stage\n"
    with pytest.raises(ContractError, match="its columns are in its own SQL files"):
        evolved(tmp_path, ("a", "a: bigint"), text=by_hand)
    with pytest.raises(ContractError, match=r"dataset.yaml:8: columns.at"):
        evolved(tmp_path, ("a", "a: bigint"), text=ORDERS.replace("timestamp", "timstamp"))
