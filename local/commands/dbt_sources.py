"""dbt-sources: the tables of the datasets as sources of dbt.

Source: docs.getdbt.com/reference/source-properties, …/reference/resource-properties/freshness (loaded_at_query, since
dbt 1.10)
"""

import argparse
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import yaml

from contracts import reading
from contracts.document import ContractError
from contracts.generate import words
from contracts.model import Column, Contract, HandWritten
from local.datasets import Dataset, datasets
from local.environment import ROOT, SCHEMA
from local.problem import Problem, Usage

if (_FUNCTIONS := str(ROOT / "functions")) not in sys.path:
    sys.path.append(_FUNCTIONS)

from loader.columns import tables, type_of

HELP = "print the datasets' tables as sources of dbt, with freshness and tests"
EXAMPLES = (
    "loader dbt-sources > models/sources.yml",
    "loader dbt-sources --schema sales > models/sources.yml",
)
ONLY_HERE = "it reads the contracts of this folder. --schema names the schema of a stack."
HEAD = "# Made by loader dbt-sources, for dbt 1.10 or newer. Do not change it: make it again.\n"
ABOUT = "Loaded from files in S3 by s3-redshift-loader."
OF_LOAD = {"load_id": "The load to which the row belongs.", "batch": "The batch of that load."}
NEWEST = (
    "select max(recorded_at) from {schema}.files where dataset = '{dataset}' and status = 'loaded'"
)
PERIODS = {"day": timedelta(days=1), "hour": timedelta(hours=1), "minute": timedelta(minutes=1)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which schema."""
    parser.add_argument(
        "--schema",
        default=SCHEMA,
        metavar="NAME",
        help=f"the stack's parameter SchemaName (default: {SCHEMA})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Raises Usage if the schema has no such name, Problem if a contract is wrong."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", arguments.schema):
        raise Usage(
            f"--schema {arguments.schema} is no schema of a stack. Use lower-case letters, digits and _."
        )
    print(sources(arguments.schema, datasets()), end="")
    return 0


def sources(schema: str, found: tuple[Dataset, ...]) -> str:
    """The YAML of the datasets' tables. Raises Problem."""
    listed = [table for dataset in found for table in _tables(schema, dataset)]
    source = {
        "name": schema,
        "schema": schema,
        "description": ABOUT,
        "loader": "s3-redshift-loader",
        "tables": listed,
    }
    document = {"version": 2, "sources": [source]}
    return HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _tables(schema: str, dataset: Dataset) -> Iterator[dict[str, Any]]:
    said = _said(dataset.name)
    contract = said if isinstance(said, Contract) else None
    described = _described(contract) if contract else {}
    made = tables((dataset.folder / "tables.sql").read_text(encoding="utf-8"))
    for table, declared in made.items():
        if table.endswith("_versions"):  # the loader's own
            continue
        is_main = contract is not None and table == contract.name
        columns = []
        for name, declaration in declared.items():
            tests = ["not_null"] if declaration.endswith("NOT NULL") else []
            if contract and is_main and contract.key == (name,):
                tests = ["unique", *tests]
            columns.append(_column(name, declaration, described.get((table, name), ""), tests))
        yield _table(schema, dataset, said, table, columns)
    if contract and contract.history:
        view = f"{contract.name}_history"
        yield _table(schema, dataset, said, view, [])


def _said(name: str) -> Contract | HandWritten | None:
    path = ROOT / "sql" / "datasets" / name / "dataset.yaml"
    try:
        return reading.read(path) if path.is_file() else None
    except ContractError as error:
        raise Problem(str(error)) from error


def _table(
    schema: str,
    dataset: Dataset,
    said: Contract | HandWritten | None,
    name: str,
    columns: list[dict[str, Any]],
) -> dict[str, Any]:
    """A table, as fresh as its dataset's newest file that is loaded and not undone: rows alone do not say so, because a
    file may bring none that is new, and a load may start before another one and end after it.
    """
    newest = NEWEST.format(schema=schema, dataset=dataset.name)
    config: dict[str, Any] = {"loaded_at_query": newest}
    if isinstance(said, Contract) and said.every:
        config["freshness"] = {
            "warn_after": _period(said.every),
            "error_after": _period(2 * said.every),
        }
    made: dict[str, Any] = {"name": name}
    if said:
        made["description"] = _plain(said.description)
    made["config"] = config
    if columns:
        made["columns"] = columns
    return made


def _period(time: timedelta) -> dict[str, Any]:
    """The time in the largest unit of dbt that has a whole number of it."""
    unit, length = next((unit, one) for unit, one in PERIODS.items() if not time % one)
    return {"count": time // length, "period": unit}


def _column(name: str, declaration: str, described: str, tests: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name}
    if text := described or OF_LOAD.get(name, ""):
        made["description"] = _plain(text)
    made["data_type"] = type_of(declaration).lower()
    if words.name(name) != name:  # a reserved word
        made["quote"] = True
    if tests:
        made["data_tests"] = tests
    return made


def _described(contract: Contract) -> dict[tuple[str, str], str]:
    """(table, column) -> where its values come from."""
    parts = {
        contract.name: contract.columns,
        **{one.name: one.columns for one in contract.children},
    }
    return {
        (table, column.name): text
        for table, columns in parts.items()
        for column in columns
        if (text := _origin(column))
    }


def _origin(column: Column) -> str:
    paths = " or ".join(str(path) for path in column.paths)
    texts = []
    if column.from_key:
        texts.append(f"From {column.from_key}= in the file's key.")
    elif paths and paths != column.name:
        texts.append(f"From {paths}.")
    if column.mask == "hash":
        texts.append("A keyed hash of the value.")
    return " ".join(texts)


def _plain(text: str) -> str:
    """A text that dbt does not read as a template of Jinja."""
    return (
        f"{{% raw %}}{text}{{% endraw %}}"
        if any(mark in text for mark in ("{{", "{%", "{#"))
        else text
    )
