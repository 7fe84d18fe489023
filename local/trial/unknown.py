"""Keys of records that no column takes: their types, and the line of the contract that would take each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from contracts import paths
from contracts.model import Contract

READ = 1 << 20  # bytes of a file
LARGEST_INTEGER = 2**31
LARGEST_BIGINT = 2**63
SHORTEST, LONGEST = 16, 65535  # bytes of a varchar


@dataclass(frozen=True)
class UnknownKey:
    """A key. path: as in the report; file: the first that has it; yaml: the line, '' without a contract."""

    path: str
    type: str
    file: str
    yaml: str
    within: str = ""  # the child table to whose columns the line belongs


def keys(
    noticed: Iterable[Mapping[str, Any]], files: Mapping[str, Path], contract: Contract | None
) -> list[UnknownKey]:
    """The unknown keys that a load's report names."""
    names = {column.name for column in contract.columns} if contract else set()
    found = []
    for one in noticed:
        path, key = str(one["path"]), str(one["file"])
        kind = type_of(_values(path, key, files[key])) if key in files else "super"
        yaml, within = _line(path, kind, contract, names) if contract else ("", "")
        found.append(UnknownKey(path, kind, key, yaml, within))
    return found


def _line(path: str, kind: str, contract: Contract, names: set[str]) -> tuple[str, str]:
    """The line that takes a key, and the child table to which it belongs ('' for none)."""
    for child in contract.children:
        if path.startswith(f"{child.each}[]"):
            below = path.removeprefix(f"{child.each}[]").removeprefix(".")
            return _said(below, kind, {column.name for column in child.columns}), child.name
    line = "" if "[]" in path else _said(path, kind, names)
    return line, ""


def _said(path: str, kind: str, names: set[str]) -> str:
    try:
        steps = [str(step) for step in paths.parse(path).steps]
    except paths.PathRefused:
        return ""
    name = _named(steps[-1])
    if name in names:
        name = _named("_".join(steps))
    typed = f'"{kind}"' if "," in kind else kind
    where = path if "[" not in path and '"' not in path else f"'{path}'"
    line = f"{name}: {kind}" if [name] == steps else f"{name}: {{path: {where}, type: {typed}}}"
    return "" if name in names else line


def _named(key: str) -> str:
    """A key as the name of a column: ``createdAt`` -> ``created_at``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()
    name = re.sub(r"[^a-z0-9]+", "_", words).strip("_")
    return name if name[:1].isalpha() else f"c_{name}"


def _values(path: str, key: str, file: Path) -> Iterator[Any]:
    """The values at a path in the first records of a file."""
    from loader.decompression import NotThatFormat, decompressed
    from loader.unmapped import records

    try:
        with file.open("rb") as stream:
            text = decompressed(key, stream.read(READ), READ).decode(errors="replace")
    except NotThatFormat:
        return
    steps = [step for part in path.split("[]") for step in (*_steps(part), None)][:-1]
    for record in records(text):
        yield from _at(record, steps)


def _steps(part: str) -> tuple[str | int, ...]:
    try:
        return paths.parse(part.removeprefix(".")).steps if part else ()
    except paths.PathRefused:
        return ("",)


def _at(value: Any, steps: list[str | int | None]) -> Iterator[Any]:
    """The values below a value; None as a step is each element of an array."""
    if not steps:
        yield value
    elif steps[0] is None:
        for inner in value if isinstance(value, list) else ():
            yield from _at(inner, steps[1:])
    elif isinstance(value, dict) and steps[0] in value:
        yield from _at(value[str(steps[0])], steps[1:])


def type_of(values: Iterable[Any]) -> str:
    """The type of a column for these values of JSON; ``super`` for what is mixed, or an object or an array."""
    there = [value for value in values if value is not None]
    kinds = {type(value) for value in there}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        largest = max(abs(value) for value in there)
        if largest >= LARGEST_BIGINT:
            return "decimal(38,0)"
        return "integer" if largest < LARGEST_INTEGER else "bigint"
    if kinds and kinds <= {int, float}:
        return "double precision"
    if kinds == {str}:
        for kind, parse in (("date", date), ("timestamp", datetime)):
            if all(_is(value, parse) for value in there):
                return kind
        longest = max(len(value.encode(errors="replace")) for value in there)
        length = SHORTEST
        while length < 2 * longest:
            length *= 2
        return f"varchar({min(length, LONGEST)})"
    return "super"


def _is(text: str, kind: type[date]) -> bool:
    try:
        kind.fromisoformat(text)
    except ValueError:
        return False
    return len(text) >= len("2026-11-27")
