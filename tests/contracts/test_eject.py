"""eject writes the files that a contract was built into, and the dataset works on unchanged."""

import json
from pathlib import Path

import pytest

from contracts import build
from contracts.document import ContractError
from contracts.eject import eject

SCHEMA = "# yaml-language-server: $schema=../../../contracts/dataset.schema.json\n"
ORDERS = f"""{SCHEMA}# The shop's.
description: 'Orders: "all" of them, one a line \U0001f4e6'
files: [orders/*.jsonl, orders/*.json]
key: [order_id]
newest: updated_at
columns:
  order_id: varchar(64)
  updated_at: timestamp
  email: {{path: ["customer[\\"e-mail\\"]", 'mail["a b"]', 'x["\u00e9 \U0001f4e6"]'], type: varchar(256)}}
  day: {{from_key: dt, type: date}}
tables:
  order_items: {{each: items, columns: {{sku: varchar(64), qty: integer}}}}
checks: {{order_items.qty: ">= 1"}}
"""
READINGS = """description: Readings
files: readings/*.csv
columns:
  device: {path: "1e5", type: varchar(64)}
  value: {path: "No\\x7f\\u2028: 1", type: double precision}
  at: {path: on, type: timestamp}
"""
EVENTS = """description: Events
files: events/*.json.gz
columns:
  id: bigint
  payload: super
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with three contracts, one with a check of its own beside it."""
    for name, text in (("orders", ORDERS), ("readings", READINGS), ("events", EVENTS)):
        folder = tmp_path / "sql" / "datasets" / name
        folder.mkdir(parents=True)
        (folder / "dataset.yaml").write_text(text, encoding="utf-8")
    checks = tmp_path / "sql" / "datasets" / "orders" / "checks" / "staged"
    checks.mkdir(parents=True)
    (checks / "of_the_shop.sql").write_text("SELECT 0 AS figure, 0 AS expected")
    return tmp_path


def built(tree: Path, name: str) -> dict[str, bytes]:
    """Path -> content of the files of a dataset."""
    folder = build.ready(tree) / "datasets" / name
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert len(found) > 8
    return found


@pytest.mark.parametrize("name", ["orders", "readings", "events"])
def test_what_is_built_is_the_same_but_for_the_contracts_digest(tree: Path, name: str) -> None:
    before = built(tree, name)
    folder = tree / "sql" / "datasets" / name
    written = eject(folder)
    assert {path.relative_to(folder).as_posix() for path in written} == (
        before.keys() - {"dataset.json", "checks/staged/of_the_shop.sql"} | {"dataset.yaml"}
    )
    after = built(tree, name)
    said, now = (json.loads(files.pop("dataset.json")) for files in (before, after))
    assert after == before
    del said["contract"]
    assert now == said
    with pytest.raises(ContractError, match="says sql: true already"):
        eject(folder)


def test_the_editor_still_finds_the_schema(tree: Path) -> None:
    folder = tree / "sql" / "datasets" / "orders"
    eject(folder)
    assert (folder / "dataset.yaml").read_text(encoding="utf-8").startswith(SCHEMA)


def test_nothing_is_written_over_a_file_that_is_there(tree: Path) -> None:
    folder = tree / "sql" / "datasets" / "orders"
    (folder / "published.sql").write_text("mine")
    before = sorted(folder.rglob("*"))
    with pytest.raises(ContractError, match=r"^sql/datasets/orders/published\.sql exists"):
        eject(folder)
    assert sorted(folder.rglob("*")) == before


def test_a_dataset_that_is_not_there_or_wrong(tree: Path) -> None:
    with pytest.raises(ContractError, match=r"^There is no sql/datasets/order/dataset\.yaml"):
        eject(tree / "sql" / "datasets" / "order")
    wrong = tree / "sql" / "datasets" / "events"
    (wrong / "dataset.yaml").write_text(EVENTS.replace("bigint", "big"))
    with pytest.raises(ContractError, match=r"^sql/datasets/events/dataset\.yaml:4: columns\.id"):
        eject(wrong)


def test_a_contract_cannot_say_what_the_functions_read(tree: Path) -> None:
    path = tree / "sql" / "datasets" / "events" / "dataset.yaml"
    path.write_text(EVENTS + "dataset_json: {paths: []}\n")
    with pytest.raises(ContractError, match="dataset_json: this field goes with sql: true only"):
        build.ready(tree)
