"""Unknown keys become columns of a dataset.yaml: lines are added, and nothing else in the file changes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from contracts import paths, reading
from contracts.add import proposing
from contracts.add.proposing import Wishes
from contracts.add.writing import line
from contracts.document import ContractError
from contracts.model import Column, Contract, HandWritten

_LINE = re.compile(r"\"?(?P<name>[a-z][a-z0-9_]*)\"?: (?P<rest>.+)")
LONGEST_NAME = 60
TAKEN = "a column takes it already"


@dataclass(frozen=True)
class Wanted:
    """A key that no column takes, and the line that would take it: ``customer.vip``, ``customer_vip: {path: …}``."""

    path: str
    line: str


@dataclass(frozen=True)
class Evolved:
    """The text of the dataset.yaml with the new lines. left: path -> why no line was added for it."""

    text: str
    added: tuple[Wanted, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)


def evolve(source: Path, wanted: Iterable[Wanted], *, shown: str = "") -> Evolved:
    """Adds a column for each key to the columns of the contract, or of the table of its array.

    ``shown``: what the file is called in messages. Raises ContractError if the contract is wrong.
    """
    text = source.read_text(encoding="utf-8")
    name, shown = source.parent.name, shown or str(source)
    contract = reading.parse(text, name, source, shown=shown)
    if isinstance(contract, HandWritten):
        raise ContractError(f"{shown} says sql: true: its columns are in its own SQL files.")
    added: list[Wanted] = []
    left: dict[str, str] = {}
    for one in wanted:
        if one.path in left or one.path in (other.path for other in added):
            continue
        try:
            changed, said = _with(text, contract, one)
            made = reading.parse(changed, name, source, shown=shown)
        except (_NotPossible, ContractError) as error:
            left[one.path] = str(error)
            continue
        if isinstance(made, Contract):
            text, contract = changed, made
            added.append(Wanted(one.path, said))
    return Evolved(text, tuple(added), left)


def of_samples(name: str, samples: Sequence[str], work: Path) -> list[Wanted]:
    """What ``loader add`` would make of sample files, column by column, if it asked nothing. Raises NoContract.

    ``work``: an empty folder.
    """
    made = proposing.propose(name, samples, work, Wishes(), _first)
    csv = made.csv is not None
    found = [
        Wanted(
            column.paths[0][0] if csv else str(paths.Path(column.paths[0])), line(column, csv=csv)
        )
        for column in made.columns
        if column.paths
    ]
    for child in made.tables:
        each = f"{paths.Path(child.each)}[]"
        for column in child.columns:
            below = str(paths.Path(column.paths[0]))
            joint = "" if below.startswith("[") else "."
            found.append(Wanted(f"{each}{joint}{below}", line(column)))
    return found


def _first(_: str, answers: Sequence[tuple[str, str]]) -> str:
    return answers[0][0]


class _NotPossible(Exception):
    """Why no line can take a key."""


def _with(text: str, contract: Contract, wanted: Wanted) -> tuple[str, str]:
    """The text with one line more, and the line. Raises _NotPossible."""
    found = _LINE.fullmatch(wanted.line)
    if not found:
        raise _NotPossible(f"{wanted.line!r} is not the line of a column")
    at: list[str] = ["columns"]
    columns: Sequence[Column] = contract.columns
    below = wanted.path
    if contract.format == "json" and "[]" in wanted.path:
        each, _, below = wanted.path.rpartition("[]")
        child = next((one for one in contract.children if str(one.each) == each), None)
        if child is None:
            raise _NotPossible(
                f"there is no table of {each}, in whose elements it is: add one (tables), or take {each} as super"
            )
        at, columns, below = (
            ["tables", child.name, "columns"],
            child.columns,
            below.removeprefix("."),
        )
    if _is_taken(below, columns, of_json=contract.format == "json"):
        raise _NotPossible(TAKEN)
    name = _free(found["name"], {*(column.name for column in columns), *contract.key})
    said = f"{name}: {found['rest']}"
    if name != found["name"] and not found["rest"].startswith("{"):
        said = f"{name}: {{path: {below}, type: {found['rest']}}}"
    return _inserted(text, at, said), said


def _is_taken(path: str, columns: Sequence[Column], *, of_json: bool) -> bool:
    if not of_json:
        return path.lower() in (str(one.steps[0]).lower() for c in columns for one in c.paths)
    try:
        wanted = paths.parse(path).steps
    except paths.PathRefused as error:
        raise _NotPossible(str(error)) from error
    return any(one.steps == wanted[: len(one.steps)] for c in columns for one in c.paths)


def _free(name: str, used: set[str]) -> str:
    number, free = 1, name
    while free in used:
        number += 1
        end = f"_{number}"
        free = f"{name[: LONGEST_NAME - len(end)]}{end}"
    return free


def _inserted(text: str, at: Sequence[str], said: str) -> str:
    """The text with a line more at the end of the mapping at these keys, which is there and not empty."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for key in at:
        node = next(value for name, value in node.value if name.value == key)
    lines = text.splitlines(keepends=True)
    first, last = node.value[0][0], node.value[-1][1]
    end = _end_of(last)
    if node.flow_style:  # {…}
        before, after = lines[end.line][: end.column], lines[end.line][end.column :]
        lines[end.line] = f"{before}, {said}{after}"
        return "".join(lines)
    row = end.line if end.column else end.line - 1
    if not lines[row].endswith("\n"):
        lines[row] += "\n"
    lines.insert(row + 1, f"{' ' * first.start_mark.column}{said}\n")
    return "".join(lines)


def _end_of(node: Any) -> Any:
    """Where the last value of a node ends: a block's own end is behind the comments that follow it."""
    while isinstance(node, yaml.MappingNode | yaml.SequenceNode) and not node.flow_style:
        inner = node.value[-1]
        node = inner[1] if isinstance(inner, tuple) else inner
    return node.end_mark
