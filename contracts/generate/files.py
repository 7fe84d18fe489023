"""The files of a dataset, generated from its contract."""

import hashlib
import json

from contracts.generate import appended, common, keyed, landing, rows, staging, tables
from contracts.generate.shape import Shape
from contracts.model import Contract


def files(contract: Contract) -> dict[str, str]:
    """Path inside of the dataset's folder -> text, sorted: what a hand-written dataset has (docs/adding-a-dataset.md)."""
    shape = Shape(contract)
    published = keyed if contract.key else appended
    made = {
        **landing.files(shape),
        **tables.files(shape),
        **staging.files(shape),
        **published.files(shape),
        **common.all_accounted_for(shape),
    }
    made["dataset.json"] = _text(_document(shape, digest(made)))
    return dict(sorted(made.items()))


def digest(made: dict[str, str]) -> str:
    """A digest of all that is made of a contract: another contract, or another generator, has another."""
    text = json.dumps(made, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _document(shape: Shape, contract_digest: str) -> dict[str, object]:
    contract = shape.contract
    document: dict[str, object] = {
        "description": contract.description,
        "stage_table": shape.stage,
        "fact_table": shape.table,
        "prefix": contract.prefix,
        "suffixes": list(contract.suffixes),
        "staged_tables": list(shape.further),
        "rows": rows.rules(shape),
        "contract": contract_digest,
    }
    if in_key := {column.name: column.from_key for column in contract.columns if column.from_key}:
        document["from_key"] = in_key
    if contract.format == "csv":
        document["header"] = landing.header(shape)
    if contract.format == "json":
        document["paths"] = landing.taken_paths(shape)
    return document


def _text(document: dict[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
