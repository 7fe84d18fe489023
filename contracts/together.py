"""What is wrong with datasets together, or only with all statements of one; refused before anything is deployed.

The functions refuse the same when they start (functions/loader/datasets.py).
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

from contracts import generate
from contracts.document import ContractError, Document
from contracts.model import Contract, HandWritten

# Of a transaction of the Data API: BatchExecuteStatement, Sqls, in
# docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html
MOST_STATEMENTS = 40
# Transaction -> the loader's own files in it, at most, and the folders of a dataset.
TRANSACTIONS = {
    "publish": (
        (
            *("publish/begin.sql", "publish/again.sql", "publish/files.sql"),
            *("publish/replaced.sql", "publish/rejected_rows.sql", "publish/claim.sql"),
            "publish/tried_again.sql",
            "publish/check_results.sql",
            *("publish/guard.sql", "publish/figures.sql"),
        ),
        ("publish", "publish_and_undo", "reload", "again"),
    ),
    "undo": (
        (
            *("undo/begin.sql", "undo/end.sql", "publish/check_results.sql", "publish/guard.sql"),
            "undo/figures.sql",
        ),
        ("undo", "publish_and_undo"),
    ),
    "new mask": (
        ("migrations/lock.sql", "migrations/same_contract.sql", "migrations/record_contract.sql"),
        ("masks",),
    ),
}
_CREATED = re.compile(r"\bCREATE\s+TABLE\s+IF\s+NOT\s+EXISTS\s+(\$\{\w+\}\.\w+)", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


def refuse(source: Path, target: Path, datasets: Sequence[Contract | HandWritten]) -> None:
    """Raises ContractError. ``source``, ``target``: the tree that is built, and the built one."""
    for one, other in permutations(datasets, 2):
        same = any(a.endswith(b) or b.endswith(a) for a in one.suffixes for b in other.suffixes)
        if other.prefix.startswith(one.prefix) and same:
            raise _error(
                source,
                other.name,
                ["files"],
                f"the dataset {one.name} takes these files too, under {one.prefix}; an object belongs to one dataset",
            )
    owners: dict[str, str] = {}
    for dataset in datasets:
        text = _text(target / "datasets" / dataset.name / "tables.sql")
        for table in sorted({*_CREATED.findall(text)}, key=len):  # orders before orders_versions
            owner, shown = owners.setdefault(table, dataset.name), table.rpartition(".")[2]
            if owner != dataset.name:
                raise _error(
                    source,
                    dataset.name,
                    _field_of(dataset, shown),
                    f"its table {shown} is also the dataset {owner}'s; choose another name",
                )
        if isinstance(dataset, Contract):
            _refuse_what_is_too_long(source, dataset)


def _field_of(dataset: Contract | HandWritten, table: str) -> list[str | int]:
    """The field of a dataset.yaml that names a table."""
    children = dataset.children if isinstance(dataset, Contract) else ()
    return next((["tables", child.name] for child in children if child.name in table), [])


def _refuse_what_is_too_long(source: Path, contract: Contract) -> None:
    for what in TRANSACTIONS:
        total = statements(source, contract, what)
        if total <= MOST_STATEMENTS:
            continue
        for number, child in enumerate(contract.children):
            if statements(source, _with_children(contract, number + 1), what) > MOST_STATEMENTS:
                raise _error(
                    source,
                    contract.name,
                    ["tables", child.name],
                    f"with all tables, its {what} has {total} statements, and Redshift's Data API takes "
                    f"{MOST_STATEMENTS} in a transaction: {child.name} is the first table that is too many. Leave it "
                    "out, and take its array into a super column",
                )


def _with_children(contract: Contract, number: int) -> Contract:
    """The contract with only so many tables of arrays."""
    children = contract.children[:number]
    names = {"", *(child.name for child in children)}
    tests = tuple(test for test in contract.tests if test.child in names)
    return replace(contract, children=children, tests=tests)


def statements(source: Path, contract: Contract, what: str) -> int:
    """How many statements a transaction of the dataset has: one of TRANSACTIONS."""
    shared, folders = TRANSACTIONS[what]
    made = generate.files(contract)
    own = (text for file, text in made.items() if file.partition("/")[0] in folders)
    return sum(map(_count, [*map(_text, (source / file for file in shared)), *own]))


def _count(text: str) -> int:
    """The statements of a SQL text. A comment is none of them, and a semicolon in quotes ends none."""
    plain = _QUOTED.sub(lambda found: "" if found[0].startswith(("--", "/*")) else "x", text)
    return sum(1 for part in plain.split(";") if part.strip())


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _error(source: Path, name: str, field: list[str | int], message: str) -> ContractError:
    path = source / "datasets" / name / "dataset.yaml"
    return Document(path, _text(path), f"sql/datasets/{name}/dataset.yaml").error(field, message)
