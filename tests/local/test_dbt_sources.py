"""loader dbt-sources: what it prints is what dbt accepts, and says what the contracts say."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import jsonschema
import pytest
import yaml

from contracts import build
from local import __main__ as command_line
from local.commands import dbt_sources
from local.datasets import of_tree
from local.environment import ROOT

ORDERS = """\
description: Orders {{ of }} the "shop"
files: orders/*.jsonl
key: [order_id]
newest: updated_at
history: true
expect: {every: 1d}
columns:
  order_id: varchar(64)
  updated_at: timestamp
  order: {path: customer.order, type: integer}
  email: {path: [customer.email, email], type: varchar(256), mask: hash}
  secret: {type: varchar(9), mask: drop}
  total: decimal(12,2)
  coupon: super
tables:
  order_items: {each: items, columns: {sku: varchar(64), qty: integer}}
"""
READINGS = """\
description: Readings
files: readings/*.csv
key: [device, ts]
newest: none
expect: {every: 90m}
columns: {ts: timestamp, device: varchar(8), celsius: double precision, day: {from_key: dt, type: date}}
"""
EVENTS = "description: Events\nfiles: events/*.jsonl\ncolumns: {at: timestamp, kind: varchar(9)}\n"


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    """A command makes the environment its own; what runs after it in this process must not have it."""
    with mock.patch.dict(os.environ):
        yield


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


TEXT = {"type": "string", "minLength": 1}
LIMIT = closed(
    ["count", "period"],
    count={"type": "integer", "minimum": 1},
    period={"enum": ["minute", "hour", "day"]},
)
DBT = closed(
    ["version", "sources"],
    version={"const": 2},
    sources={
        "type": "array",
        "items": closed(
            ["name", "tables"],
            name=TEXT,
            schema=TEXT,
            description=TEXT,
            loader=TEXT,
            tables={
                "type": "array",
                "items": closed(
                    ["name"],
                    name=TEXT,
                    description=TEXT,
                    config=closed(
                        [],
                        loaded_at_query=TEXT,
                        freshness=closed([], warn_after=LIMIT, error_after=LIMIT),
                    ),
                    columns={
                        "type": "array",
                        "items": closed(
                            ["name"],
                            name=TEXT,
                            description=TEXT,
                            data_type=TEXT,
                            quote={"type": "boolean"},
                            data_tests={"type": "array", "items": {"enum": ["unique", "not_null"]}},
                        ),
                    },
                ),
            },
        ),
    },
)
"""What dbt accepts of a source: docs.getdbt.com/reference/source-properties, and the schemas of dbt-core 1.11 and 1.12
(dbt/jsonschemas/resources), in which loaded_at_query and freshness are below config.
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The YAML for this repository's datasets and three more."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "sql", root / "sql")
    for name, text in (("orders", ORDERS), ("readings", READINGS), ("events", EVENTS)):
        folder = root / "sql" / "datasets" / name
        folder.mkdir()
        (folder / "dataset.yaml").write_text(text, encoding="utf-8")
    build.build(root / "sql", root / "built")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dbt_sources, "ROOT", root)
        text = dbt_sources.sources("sales", of_tree(root / "built"))
    assert text.startswith("# ")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def tables(written: dict[str, Any]) -> dict[str, dict[str, Any]]:
    [source] = written["sources"]
    return {table["name"]: table for table in source["tables"]}


def columns(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {column["name"]: column for column in table["columns"]}


def having(table: dict[str, Any], test: str) -> set[str]:
    return {name for name, one in columns(table).items() if test in one.get("data_tests", ())}


def test_it_is_a_file_of_dbt(written: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(DBT).validate(written)
    [source] = written["sources"]
    assert (source["name"], source["schema"]) == ("sales", "sales")


def test_every_table_for_readers_is_there_and_no_other(written: dict[str, Any]) -> None:
    assert tables(written).keys() == {
        *("songplays", "users", "time", "songs", "artists"),
        *("orders", "order_items", "orders_history", "readings", "events"),
    }


def test_columns_are_those_of_the_contract(written: dict[str, Any]) -> None:
    found = columns(tables(written)["orders"])
    kinds = {name: one["data_type"] for name, one in found.items()}
    assert kinds == {
        "order_id": "varchar(64)",
        "updated_at": "timestamp",
        "order": "integer",
        "email": "varchar(64)",  # a hash
        "total": "decimal(12, 2)",
        "coupon": "super",
        "row_no": "bigint",
        "load_id": "varchar(64)",
        "batch": "varchar(64)",
    }
    assert [name for name, one in found.items() if one.get("quote")] == ["order"]
    assert (
        found["email"]["description"] == "From customer.email or email. A keyed hash of the value."
    )
    assert "description" not in found["total"]
    items = columns(tables(written)["order_items"])
    assert [*items] == ["order_id", "row_no", "position", "sku", "qty", "load_id", "batch"]
    assert columns(tables(written)["readings"])["celsius"]["data_type"] == "double precision"


def test_keys_are_having(written: dict[str, Any]) -> None:
    """One column that is the key is unique; of several, each is there."""
    found = tables(written)
    assert having(found["orders"], "unique") == {"order_id"}
    assert "order_id" in having(found["orders"], "not_null")
    assert having(found["readings"], "not_null") >= {"device", "ts"}
    unique = {
        name for name, table in found.items() if "columns" in table and having(table, "unique")
    }
    assert unique == {"orders"}
    assert not having(found["events"], "not_null") & {"at", "kind"}


def test_freshness_is_what_the_contract_expects(written: dict[str, Any]) -> None:
    found = tables(written)
    day, half = (
        {
            "warn_after": {"count": one, "period": unit},
            "error_after": {"count": two, "period": other},
        }
        for one, unit, two, other in ((1, "day", 2, "day"), (90, "minute", 3, "hour"))
    )
    limits = {name: table["config"].get("freshness") for name, table in found.items()}
    assert {name: limit for name, limit in limits.items() if limit} == {
        **dict.fromkeys(("orders", "order_items", "orders_history"), day),
        "readings": half,
    }
    query = found["order_items"]["config"]["loaded_at_query"]
    assert "from sales.files where dataset = 'orders' and status = 'loaded'" in query


def test_a_description_is_no_template(written: dict[str, Any]) -> None:
    said = tables(written)["orders"]["description"]
    assert said == '{% raw %}Orders {{ of }} the "shop"{% endraw %}'


def test_the_command_prints_it_without_a_deployment(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["dbt-sources"]) == 0
    printed = capsys.readouterr().out
    assert tables(yaml.safe_load(printed)).keys() >= {"songplays", "songs"}
    assert command_line.main(["dbt-sources", "--schema", "no schema"]) == 2


def test_a_wrong_contract_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "sql" / "datasets" / "log_data"
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text("files: 7\n", encoding="utf-8")
    monkeypatch.setattr(dbt_sources, "ROOT", tmp_path)
    assert command_line.main(["dbt-sources"]) == 1
    assert "dataset.yaml" in capsys.readouterr().err
