"""A dataset that is generated from a contract, for tests of the functions."""

import shutil
from pathlib import Path

import pytest
from loader import datasets, sql
from loader.datasets import Dataset

from contracts.generate import files
from contracts.model import Contract
from contracts.reading import parse

ORDERS = """\
description: Orders
files: orders/*.jsonl
key: [order_id]
newest: updated_at
columns:
  order_id: varchar(64)
  updated_at: timestamp
  total: decimal(6,2)
  day: {path: [day, "[\\"the day\\"]"], type: date}
  since: {type: timestamp, format: epoch_seconds}
tables:
  order_items: {each: order.items, columns: {sku: varchar(4), qty: integer, ok: boolean, price: real, tag: char(2)}}
checks:
  order_items.qty: ">= 1"
  total: between 0 and 10
  order_items.sku: in (a, "b'")
  updated_at: < 2027-01-01
  day: not null
"""
READINGS = """\
description: Readings
files: readings/*.csv
csv: {delimiter: ";", "null": NA}
columns: {ts: timestamp, device: {path: Device, type: varchar(32)}, celsius: "decimal(4,1)"}
"""


def made(name: str, text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Makes a copy of sql/ below ``folder``, with the files of this contract as its only dataset; the dataset."""
    shutil.copytree(sql.ROOT, folder, ignore=lambda *_: ["datasets"], dirs_exist_ok=True)
    monkeypatch.setattr(sql, "ROOT", folder)
    contract = parse(text, name, folder / "dataset.yaml")
    assert isinstance(contract, Contract)
    for path, content in files(contract).items():
        file = folder / "datasets" / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    sql.read.cache_clear()
    return datasets.load_all("")[name]
