"""The files of a dataset, generated from its contract."""

import dataclasses
import hashlib
import json

from contracts.generate import (
    appended,
    common,
    keyed,
    landing,
    masking,
    remade,
    rows,
    staging,
    tables,
)
from contracts.generate.shape import Shape
from contracts.model import Contract


def files(contract: Contract) -> dict[str, str]:
    """Path inside of the dataset's folder -> text, sorted: what a hand-written dataset has (docs/hand-written-datasets.md)."""
    shape = Shape(contract)
    published = keyed if contract.key else appended
    made = {
        **landing.files(shape),
        **tables.files(shape),
        **staging.files(shape),
        **published.files(shape),
        **common.all_accounted_for(shape),
        **remade.files(shape),
    }
    of_tables = tables.document(shape)
    of_contract = digest(of_tables, made["tables.sql"])
    made |= common.has_contract(shape, of_contract)
    made["dataset.json"] = _text(_document(shape) | {"contract": of_contract, "tables": of_tables})
    return dict(sorted(made.items()))


def digest(of_tables: dict[str, object], statements: str) -> str:
    """A digest of what the migrate step brings the tables to. A changed check has the same, a changed mask another."""
    text = json.dumps([of_tables, statements])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _document(shape: Shape) -> dict[str, object]:
    contract = shape.contract
    document: dict[str, object] = {
        "description": contract.description,
        "stage_table": shape.stage,
        "fact_table": shape.table,
        "prefix": contract.prefix,
        "suffixes": list(contract.suffixes),
        "staged_tables": list(shape.further),
        "rows": rows.rules(shape),
    }
    if in_key := {column.name: column.from_key for column in contract.columns if column.from_key}:
        document["from_key"] = in_key
    if contract.every:
        document["expect_seconds"] = int(contract.every.total_seconds())
    if contract.format == "parquet":
        document["types"] = landing.types_in_parquet(shape)
    if contract.format != "json":
        document["header"] = landing.header(shape)
        if extra := landing.extra_columns(shape):
            document["extra_columns"] = extra
    if contract.format == "json":
        document["paths"] = landing.taken_paths(shape)
    if masks := [dataclasses.asdict(one) for one in masking.masked(shape)]:
        document["masks"] = [{k: v for k, v in one.items() if v} for one in masks]
    if contract.unknown == "reject":
        document["unknown"] = "reject"
    return document


def _text(document: dict[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
