"""Finds the rows whose values are there and do not fit, and the lines that they are on, by reading the files.

Redshift's checks decide whether a row fits (sql/datasets/<name>/stage). They know the columns and the number of rows,
but no file or line: a staging table does not have them. So the loader reads the files by the same rules, which
dataset.json has. A file in which it finds nothing is not blamed: find_bad_files splits the batch.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from loader.datasets import Dataset
from loader.decompression import unpacked
from loader.observability import logger
from loader.records import Number, Record, records
from loader.rules import RowRules, Steps, ValueRule
from loader.store import DataFile, Store

SECONDS = 150  # of reading in one call
AT_A_TIME = 4
SHOWN = 60  # characters of a value
LOOK_AT_CLOCK = 1000  # records

_LIMITS = {"smallint": 15, "integer": 31, "bigint": 63}
_LARGEST = {"real": 3.4028235e38, "double precision": float("inf")}


@dataclass(frozen=True)
class Misfit:
    """Why a record is bad, with its line. column: as COPY would name it."""

    line: int
    column: str
    reason: str


@dataclass
class Found:
    """What was found in a file. rows: how many of its records are bad. whole: whether all of it was read."""

    rows: int = 0
    records: int = 0
    first: Misfit | None = None
    columns: set[str] = field(default_factory=set)
    whole: bool = False


def look(store: Store, files: Sequence[DataFile], dataset: Dataset) -> list[Found]:
    """Reads the files, as far as there is time for it. A file that cannot be read, or was replaced, is not whole."""
    until = time.monotonic() + SECONDS
    store.prepare_streams()
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(lambda file: _look(store, file, dataset, until), files))


def _look(store: Store, file: DataFile, dataset: Dataset, until: float) -> Found:
    found = Found()
    try:
        for record in records(unpacked(file.key, store.stream(file)), dataset):
            found.records += 1
            if found.records % LOOK_AT_CLOCK == 1 and time.monotonic() > until:
                return found
            misfits = list(misfits_of(record, dataset))
            if misfits:
                found.rows += 1
                found.first = found.first or misfits[0]
                found.columns.update(misfit.column for misfit in misfits)
        found.whole = True
    except Exception:  # without a reason the load still works
        logger.exception("a file with bad rows could not be read", key=file.key)
    return found


def misfits_of(record: Record, dataset: Dataset) -> Iterator[Misfit]:
    """What does not fit in a record, in the order of the columns; nothing for one that COPY does not load."""
    rules = dataset.rows
    if rules is None or not isinstance(record.value, dict):
        return
    for rule in rules.values:
        for value in _values(record.value, rule):
            if reason := why(value, rule, rules):
                yield Misfit(record.line, rule.name, f"{rule.name}{reason}")
                break


def _values(record: dict[str, Any], rule: ValueRule) -> Iterator[Any]:
    """The values of a column in a record: one, or one of each element."""
    if rule.each is None:
        yield _first(record, rule.paths)
        return
    elements = _at(record, rule.each)
    if isinstance(elements, list):
        for element in elements:
            yield _first(element, rule.paths)


def _first(value: Any, paths: Sequence[Steps]) -> Any:
    return next((found for path in paths if (found := _at(value, path)) is not None), None)


def _at(value: Any, path: Steps) -> Any:
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def why(value: Any, rule: ValueRule, rules: RowRules) -> str:
    """Why a value does not fit, as a predicate with its blank; '' if it does."""
    if rule.type == "array":
        fits = value is None or isinstance(value, list)
        return "" if fits else f": {_shown(value, rules)} is not an array"
    text = _text(value)
    if text is not None and rules.null and text == rules.null:
        text = None
    said = None if text is None else text.strip(" ")
    if not said and (rule.needed or said is None or rule.type not in ("varchar", "char")):
        return f" is missing: {rule.needed}" if rule.needed else ""
    if text is None or said is None:
        return ""
    if rule.type in ("varchar", "char"):
        size = len(text.encode(errors="replace"))
        if rule.longest and size > rule.longest:
            return f": a text of {size:,} bytes is not {rule.says}"
        if rule.type == "char" and rule.longest and not text.isascii():
            return f": {_shown(value, rules)} is not {rule.says}"
        return ""
    if rule.forms and not any(_form(form).fullmatch(said) for form in rule.forms):
        return f": {_shown(value, rules)} is not {rule.says}"
    if (rule.scale is not None or rule.within) and not _is_near(said, rule):
        return f": {_shown(value, rules)} is not {rule.says}"
    if rule.forms and not rule.within and not _in_range(said, rule):
        return f": {_shown(value, rules)} is out of the range of {rule.type}"
    return ""


@cache
def _form(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _text(value: Any) -> str | None:
    """The text of a value, as Redshift makes it of SUPER; None for null."""
    return value if value is None or isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    """The JSON of a value, with its numbers as they were written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return f"[{','.join(_json(one) for one in value)}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_json(key)}:{_json(one)}' for key, one in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)


def _is_near(text: str, rule: ValueRule) -> bool:
    """Whether a number has not too many digits after the point and is within its limits. COPY refuses what is none."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return True
    if not number.is_finite():
        return True
    if rule.within:
        return rule.within[0] <= number <= rule.within[1]
    return -int(number.normalize().as_tuple().exponent) <= (rule.scale or 0)


def _in_range(text: str, rule: ValueRule) -> bool:
    if bits := _LIMITS.get(rule.type):
        number = int(text.partition(".")[0])
        return bool(-(1 << bits) <= number < 1 << bits)
    if largest := _LARGEST.get(rule.type):
        return abs(float(text)) <= largest and abs(float(text)) != float("inf")
    if rule.type in ("date", "timestamp") and "-" in text[1:]:
        try:
            datetime.fromisoformat(re.sub(r" (?=[-+Z])", "", text))
        except ValueError:
            return False
    return True


def _shown(value: Any, rules: RowRules) -> str:
    """A value as a reason quotes it. Nothing of a file with masked columns: a value may be in the wrong column."""
    if rules.masked:
        return "its value"
    if isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "an object"
    text = str(_text(value))
    shown = "".join(char if char.isprintable() else "?" for char in text[:SHOWN])
    shown += "…" if len(text) > SHOWN else ""
    return shown if isinstance(value, Number | bool) else f"'{shown}'"
