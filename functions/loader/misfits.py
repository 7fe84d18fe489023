"""Finds the rows whose values are there and do not fit, and the lines that they are on, by reading the files.

Redshift's checks decide whether a row fits (sql/datasets/<name>/stage). They know the columns and the number of rows,
but no file or line: a staging table does not have them. So the loader reads the files by the same rules, which
dataset.json has. A file in which it finds nothing is not blamed: find_bad_files splits the batch.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from loader.datasets import Dataset
from loader.decompression import unpacked
from loader.observability import logger
from loader.records import Number, Record, records
from loader.rules import CheckRule, RowRules, Steps, ValueRule
from loader.store import DataFile, Store

SECONDS = 150  # of reading in one call
AT_A_TIME = 4
SHOWN = 60  # characters of a value
LOOK_AT_CLOCK = 1000  # records
KEPT = 100_000  # bad rows of a file: COPY allows no more
LONGEST_TEXT = 65_535  # bytes of a row's text
TEXT_BYTES = 32 << 20  # of all rows' texts that are kept

_LIMITS = {"smallint": 15, "integer": 31, "bigint": 63}
_LARGEST = {"real": 3.4028235e38, "double precision": float("inf")}


@dataclass(frozen=True)
class Misfit:
    """Why a record is bad, with its line. column: as COPY would name it."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True)
class Refused:
    """A bad row: one that COPY has refused (with its code), or whose values do not fit.

    raw: its text, if that is kept.
    """

    line: int | None
    column: str | None
    code: int | None
    reason: str
    raw: str | None = None


@dataclass
class Found:
    """What was found in a file.

    rows   how many records have values that do not fit, of those that COPY has not refused
    kept   the bad rows, if they are left out: also those that COPY has refused
    whole  whether all of it was read, and each row is known to be refused or not
    """

    rows: int = 0
    records: int = 0
    first: Misfit | None = None
    kept: list[Refused] = field(default_factory=list)
    whole: bool = False


def look(
    store: Store,
    files: Sequence[DataFile],
    dataset: Dataset,
    refused: Mapping[str, Sequence[Refused]] | None = None,
    failed: Container[str] = (),
) -> list[Found]:
    """Reads the files, as far as there is time for it. A file that cannot be read, or was replaced, is not whole.

    ``refused``: the rows that COPY has refused, by key, if bad rows are left out. ``failed``: checks of the contract
    that failed; only then rows are bad that violate them.
    """
    if dataset.layout.format == "parquet":  # nothing here reads its rows
        return [Found() for _ in files]
    until = time.monotonic() + SECONDS
    store.prepare_streams()
    texts = _Texts(dataset)

    def one(file: DataFile) -> Found:
        of_file = None if refused is None else refused.get(file.key, ())
        found = _InFile(dataset, texts, of_file, failed)
        try:
            for number, record in enumerate(
                records(unpacked(file.key, store.stream(file)), dataset)
            ):
                if number % LOOK_AT_CLOCK == 0 and time.monotonic() > until:
                    return found.end(whole=False)
                found.take(record)
        except Exception:  # without a reason the load still works
            logger.exception("a file with bad rows could not be read", key=file.key)
            return found.end(whole=False)
        return found.end(whole=True)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(one, files))


class _Texts:
    """The texts of bad rows: none with masked columns, or if the contract keeps none; and not too many in all."""

    def __init__(self, dataset: Dataset) -> None:
        rules = dataset.rows
        keeps = rules is not None and not rules.masked and (not rules.limit or rules.limit.raw)
        self._left = TEXT_BYTES if keeps else 0

    def of(self, text: str) -> str | None:
        """The text as rejected_rows has it; None if it is not kept."""
        data = text.replace("\0", "").encode(errors="replace")[:LONGEST_TEXT]
        if len(data) > self._left:
            return None
        self._left -= len(data)
        return data.decode(errors="ignore")


class _InFile:
    """What is found in a file, record by record."""

    def __init__(
        self,
        dataset: Dataset,
        texts: _Texts,
        refused: Sequence[Refused] | None,
        failed: Container[str],
    ) -> None:
        self._dataset, self._texts, self._failed = dataset, texts, failed
        self._keeps = refused is not None
        self._refused: dict[int | None, list[Refused]] = {}
        for one in refused or ():
            self._refused.setdefault(one.line, []).append(one)
        # Records on the lines of refused ones: whether it has a value, its misfits, its text.
        self._on_lines: dict[int, list[tuple[bool, list[Misfit], str | None]]] = {}
        self._found = Found()

    def take(self, record: Record) -> None:
        self._found.records += 1
        misfits = list(misfits_of(record, self._dataset, self._failed))
        if record.line in self._refused:
            text = self._texts.of(record.text)
            self._on_lines.setdefault(record.line, []).append(
                (record.value is not None, misfits, text)
            )
        elif misfits:
            self._misfit(record.line, misfits, record.text)

    def _misfit(self, line: int, misfits: list[Misfit], text: str) -> None:
        self._found.rows += 1
        self._found.first = self._found.first or misfits[0]
        if self._keeps and len(self._found.kept) < KEPT:
            reason = "; ".join(misfit.reason for misfit in misfits)
            raw = self._texts.of(text)
            self._found.kept.append(Refused(line, misfits[0].column, None, reason, raw))

    def end(self, *, whole: bool) -> Found:
        found = self._found
        found.whole = whole
        for line, refused in self._refused.items():
            records = sorted(self._on_lines.get(line or 0, ()), key=lambda record: record[0])
            for number, one in enumerate(refused):
                raw = records[number][2] if number < len(records) else None
                found.kept.append(replace(one, raw=raw))
            # Which of several records on a line COPY has refused is not known.
            if len(records) > len(refused) and any(misfits for _, misfits, _ in records):
                found.whole = False
        return found


def misfits_of(record: Record, dataset: Dataset, failed: Container[str] = ()) -> Iterator[Misfit]:
    """What does not fit in a record, in the order of the columns; nothing for one that COPY does not load."""
    rules = dataset.rows
    if rules is None or not isinstance(record.value, dict):
        return
    for rule in rules.values:
        for value in _values(record.value, rule):
            if reason := why(value, rule, rules):
                yield Misfit(record.line, rule.name, f"{rule.name}{reason}")
                break
    for check in rules.checks:
        if check.check not in failed:
            continue
        for value in _values(record.value, check.value):
            if _violates(value, check, rules):
                yield Misfit(record.line, check.value.name, _violation(value, check, rules))
                break


def _violation(value: Any, check: CheckRule, rules: RowRules) -> str:
    name = check.value.name
    if check.operator == "not null":
        return f"{name} is missing: the contract's checks say not null"
    return f"{name}: {_shown(value, rules)} violates the contract's check '{check.says}'"


def _violates(value: Any, check: CheckRule, rules: RowRules) -> bool:
    """Whether a value violates a check. One that cannot be compared does not."""
    text = _text(value)
    if rules.null and text == rules.null:
        text = None
    kind = check.value.type
    if kind not in ("varchar", "char") and text is not None:
        text = text.strip(" ") or None
    if text is None or check.operator == "not null":
        return text is None and check.operator == "not null"
    compared = _comparable(text, kind)
    operands = [_comparable(operand, kind) for operand in check.operands]
    if compared is None or None in operands:
        return False
    return not _HOLDS[check.operator](compared, operands)


_HOLDS: dict[str, Callable[[Any, list[Any]], bool]] = {
    "<=": lambda value, of: bool(value <= of[0]),
    ">=": lambda value, of: bool(value >= of[0]),
    "<": lambda value, of: bool(value < of[0]),
    ">": lambda value, of: bool(value > of[0]),
    "=": lambda value, of: bool(value == of[0]),
    "!=": lambda value, of: bool(value != of[0]),
    "between": lambda value, of: bool(of[0] <= value <= of[1]),
    "in": lambda value, of: value in of,
    "not in": lambda value, of: value not in of,
}


def _comparable(text: str, kind: str) -> Any:
    """The value of a text, to compare it with others of its kind; None if it has none."""
    try:
        if kind in ("varchar", "char"):
            return text
        if kind == "boolean":
            return {"t": True, "y": True, "1": True, "f": False, "n": False, "0": False}.get(
                text[:1].lower()
            )
        if kind in ("date", "timestamp"):
            moment = datetime.fromisoformat(re.sub(r" (?=[-+Z])", "", text))
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        return Decimal(text) if kind else None
    except (ValueError, InvalidOperation):
        return None


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
