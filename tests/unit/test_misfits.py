"""Rows whose values do not fit: their lines, columns and reasons, as the loader finds them in the files."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loader import misfits, sql
from loader.datasets import Dataset
from loader.misfits import Misfit
from loader.records import records
from loader.rules import RowRules
from loader.store import DataFile, Store

from tests.unit import contracted

GOOD = {"order_id": "o1", "updated_at": "2026-11-28T07:00:15Z"}


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dataset]:
    yield contracted.made("orders", contracted.ORDERS, tmp_path, monkeypatch)
    sql.read.cache_clear()


@pytest.fixture
def readings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dataset]:
    yield contracted.made("readings", contracted.READINGS, tmp_path, monkeypatch)
    sql.read.cache_clear()


def of(dataset: Dataset, text: str) -> list[Misfit]:
    return [m for r in records([text.encode()], dataset) for m in misfits.misfits_of(r, dataset)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"updated_at": None}, "updated_at is missing: it says which version of a row of orders is the newest"),
        ({"updated_at": " "}, "updated_at is missing: it says which version of a row of orders is the newest"),
        ({"updated_at": "yesterday"}, "updated_at: 'yesterday' is not a timestamp"),
        ({"updated_at": "2026-02-30"}, "updated_at: '2026-02-30' is out of the range of timestamp"),
        ({"updated_at": "2026-11-28 07:00:15.123456789 +05"}, ""),
        ({"updated_at": 1732777215}, "updated_at: 1732777215 is not a timestamp"),
        ({"order_id": ""}, "order_id is missing: it is a part of the key"),
        ({"order_id": "  "}, "order_id is missing: it is a part of the key"),
        ({"order_id": 0}, ""),
        ({"total": "12.345"}, "total: '12.345' is not a decimal(6,2)"),
        ({"total": 12345.001}, "total: 12345.001 is not a decimal(6,2)"),
        ({"total": "1234e-3"}, "total: '1234e-3' is not a decimal(6,2)"),
        ({"total": "x"}, ""),  # COPY says it
        ({"total": "0012.3400"}, ""),
        ({"total": "", "day": " "}, ""),
        ({"day": "2026-11-28T00:00:00"}, "day: '2026-11-28T00:00:00' is not a date"),
        ({"the day": "x" * 99}, f"day: '{'x' * 60}…' is not a date"),
        ({"day": None, "the day": "2026-13-01"}, "day: '2026-13-01' is out of the range of date"),
        ({"day": "2026-11-28", "the day": "x"}, ""),
        ({"since": 1732777215.5}, ""),
        ({"since": "173277721500000"}, "since: '173277721500000' is not a timestamp in epoch_seconds"),
        ({"since": "soon"}, ""),  # COPY says it
        ({"order": {"items": {"sku": "a"}}}, "order_items: an object is not an array"),
        ({"order": {"items": [{"qty": 1}, {"qty": "three"}]}}, "order_items.qty: 'three' is not an integer"),
        ({"order": {"items": [{"qty": "2.0"}, 7, None, []]}}, ""),
        ({"order": {"items": [{"qty": 1 << 31}]}}, "order_items.qty: 2147483648 is out of the range of integer"),
        ({"order": {"items": [{"qty": {"a": 1}}]}}, "order_items.qty: an object is not an integer"),
        ({"order": {"items": [{"qty": True}]}}, "order_items.qty: true is not an integer"),
        ({"order": {"items": [{"sku": "äää"}]}}, "order_items.sku: a text of 6 bytes is not a varchar(4)"),
        ({"order": {"items": [{"sku": [1, 22]}]}}, "order_items.sku: a text of 6 bytes is not a varchar(4)"),
        ({"order": {"items": [{"tag": "ä"}]}}, "order_items.tag: 'ä' is not a char(2)"),
        ({"order": {"items": [{"ok": "YES"}]}}, ""),
        ({"order": {"items": [{"ok": "2"}]}}, "order_items.ok: '2' is not true or false"),
        ({"order": {"items": [{"price": 1e39}]}}, "order_items.price: 1e+39 is out of the range of real"),
        ({"order": {"items": [{"price": "NaN"}]}}, "order_items.price: 'NaN' is not a real"),
    ],
)  # fmt: skip
def test_reasons(orders: Dataset, changes: dict[str, Any], reason: str) -> None:
    found = of(orders, json.dumps({**GOOD, **changes}))
    assert [one.reason for one in found] == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("check", "changes", "reason"),
    [
        (0, {"order": {"items": [{"qty": 1}, {"qty": "0"}]}}, "order_items.qty: '0'|>= 1"),
        (0, {"order": {"items": [{"qty": 1}, {}, {"qty": " "}]}}, ""),
        (1, {"total": 10.01}, "total: 10.01|between 0 and 10"),
        (1, {"total": 10}, ""),
        (1, {"total": "x"}, ""),
        (2, {"order": {"items": [{"sku": "b'"}, {"sku": "c"}]}}, "order_items.sku: 'c'|in (a, b')"),
        (2, {"order": {"items": [{"sku": "b'"}]}}, ""),
        (3, {"updated_at": "2026-12-31T23:00-02:00"}, "updated_at: '2026-12-31T23:00-02:00'|< 2027-01-01 00:00:00"),
        (3, {"updated_at": "2026-12-31T23:00:00"}, ""),
        (4, {}, "day is missing: the contract's checks say not null"),
        (4, {"the day": "2026-12-31"}, ""),
    ],
)  # fmt: skip
def test_checks_of_the_contract(
    orders: Dataset, check: int, changes: dict[str, Any], reason: str
) -> None:
    assert orders.rows
    failed = {orders.rows.checks[check].check}
    [record] = records([json.dumps({**GOOD, **changes}).encode()], orders)
    found = [one.reason for one in misfits.misfits_of(record, orders, failed)]
    said, bar, condition = reason.partition("|")
    wanted = f"{said} violates the contract's check '{condition}'" if bar else reason
    assert [one for one in found if "contract" in one] == ([wanted] if wanted else [])
    assert not [one for one in misfits.misfits_of(record, orders) if "contract" in one.reason]


def test_lines_and_columns(orders: Dataset) -> None:
    bad = {**GOOD, "order": {"items": [{"qty": "x"}]}}
    text = f"{json.dumps(GOOD)} {json.dumps(bad)}\n\n{json.dumps(bad, indent=2)}\n{{}}"
    assert [(one.line, one.column) for one in of(orders, text)] == [
        (1, "order_items.qty"),
        (3 + json.dumps(bad, indent=2).count("\n"), "order_items.qty"),
        (4 + json.dumps(bad, indent=2).count("\n"), "order_id"),
        (4 + json.dumps(bad, indent=2).count("\n"), "updated_at"),
    ]


def test_csv(readings: Dataset) -> None:
    text = 'Celsius;TS;device\nNA;2026-11-28;a\n12.345;NA;b\n"";soon;"c\nd"\n1;2;e\n'
    assert [(one.line, one.reason) for one in of(readings, text)] == [
        (3, "celsius: '12.345' is not a decimal(4,1)"),
        (4, "ts: 'soon' is not a timestamp"),
        (6, "ts: '2' is not a timestamp"),
    ]


def test_a_masked_file_is_not_quoted(orders: Dataset) -> None:
    assert orders.rows
    masked = replace(orders, rows=replace(orders.rows, masked=True))
    [found] = of(masked, json.dumps({**GOOD, "day": "a@example.com"}))
    assert found.reason == "day: its value is not a date"


def test_rules_as_dataset_json_has_them(orders: Dataset) -> None:
    assert isinstance(orders.rows, RowRules)
    assert [rule.name for rule in orders.rows.values][:3] == ["order_id", "updated_at", "total"]


# -- files -------------------------------------------------------------------------------------
def put(s3: Any, key: str, body: bytes) -> DataFile:
    etag = s3.put_object(Bucket="data", Key=key, Body=body)["ETag"].strip('"')
    return DataFile("data", key, etag, len(body))


def test_files(store: Store, s3: Any, orders: Dataset) -> None:
    good = json.dumps(GOOD).encode()
    bad = json.dumps({**GOOD, "total": 1.234}).encode()
    files = [
        put(s3, "orders/a.jsonl", good + b"\n" + good),
        put(
            s3, "orders/b.jsonl.gz", gzip.compress(good + b"\n") + gzip.compress(bad + b"\n" + bad)
        ),
        put(s3, "orders/c.jsonl.gz", good),
        replace(put(s3, "orders/d.jsonl", bad), etag="another"),
    ]
    found = misfits.look(store, files, orders)
    assert [(one.records, one.rows, one.whole) for one in found] == [
        (2, 0, True),
        (3, 2, True),
        (0, 0, False),  # not gzip
        (0, 0, False),  # replaced
    ]
    assert found[1].first == Misfit(2, "total", "total: 1.234 is not a decimal(6,2)")


def test_there_is_no_time_left(
    store: Store, s3: Any, orders: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(misfits, "SECONDS", -1)
    [found] = misfits.look(store, [put(s3, "orders/a.jsonl", b"{}\n{}")], orders)
    assert (found.whole, found.first) == (False, None)
