"""Checks of a contract: a closed list of conditions on a column, parsed to typed literals.

No text of a contract becomes SQL as it stands: numbers are parsed as numbers, texts are quoted. Anything else is a SQL
file of its own in the dataset's checks/.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from contracts.types import Type

COMPARISONS = ("<=", ">=", "!=", "<", ">", "=")
FORMS = "'not null', '>= 1' (or >, <, <=, =, !=), 'between 1 and 9', 'in (a, b)', 'not in (a, b)', 'unique'"
_NUMBER = re.compile(r"[+-]?\d{1,38}(\.\d{1,37})?")
_COMPARED = re.compile(r"(<=|>=|!=|<>|==|<|>|=)\s*(.+)", re.DOTALL)
_BETWEEN = re.compile(r"between\s+(.+?)\s+and\s+(.+)", re.DOTALL | re.IGNORECASE)
_IN = re.compile(r"(not\s+)?in\s*\((.*)\)", re.DOTALL | re.IGNORECASE)
_PART = re.compile(r"""\s*('(?:[^']|'')*'|"(?:[^"]|"")*"|[^,'"]+?)\s*(?:,|$)""")


class ConditionRefused(ValueError):
    """A condition that is not on the list or does not fit its column's type."""


@dataclass(frozen=True)
class Condition:
    """What must hold for every value of a column that is there; ``not null``: that it is there.

    operator: one of COMPARISONS, 'between', 'in', 'not in', 'not null', 'unique'. operands: SQL literals.
    """

    operator: str
    operands: tuple[str, ...] = ()

    def violated(self, column: str) -> str:
        """The SQL condition of a row that violates it. NULL violates 'not null' only."""
        match self.operator:
            case "not null":
                return f"{column} IS NULL"
            case "between":
                return f"({column} < {self.operands[0]} OR {column} > {self.operands[1]})"
            case "in":
                return f"{column} NOT IN ({', '.join(self.operands)})"
            case "not in":
                return f"{column} IN ({', '.join(self.operands)})"
        opposite = {"<=": ">", ">=": "<", "!=": "=", "<": ">=", ">": "<=", "=": "<>"}
        return f"{column} {opposite[self.operator]} {self.operands[0]}"


def parse(text: Any, column: Type) -> Condition:
    """Reads a condition on a column of this type. Raises ConditionRefused."""
    said = str(text).strip()
    word = " ".join(said.lower().split())
    if word in ("not null", "unique"):
        return Condition(word)
    if found := _BETWEEN.fullmatch(said):
        return Condition("between", tuple(literal(part, column) for part in found.groups()))
    if found := _IN.fullmatch(said):
        parts = _parts(found[2], said)
        operator = "not in" if found[1] else "in"
        return Condition(operator, tuple(literal(part, column) for part in parts))
    if found := _COMPARED.fullmatch(said):
        operator = {"<>": "!=", "==": "="}.get(found[1], found[1])
        return Condition(operator, (literal(found[2], column),))
    raise ConditionRefused(
        f"{said!r} is not a check that a contract may have; these are {FORMS}. Anything else is a SQL file in the "
        "dataset's checks/staged/ or checks/published/"
    )


def _parts(text: str, said: str) -> list[str]:
    parts, at = [], 0
    while at < len(text):
        found = _PART.match(text, at)
        if not found:
            raise ConditionRefused(f"{said!r}: the list in brackets cannot be read")
        parts.append(found[1])
        at = found.end()
    if not parts:
        raise ConditionRefused(f"{said!r}: the list in brackets is empty")
    return parts


def literal(value: Any, column: Type) -> str:
    """The SQL literal of a value for a column of this type. Raises ConditionRefused."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, datetime):
        text = value.isoformat(sep=" ")
    else:
        text = str(value).strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1].replace(text[0] * 2, text[0])
    if column.is_number:
        try:
            number = Decimal(text) if _NUMBER.fullmatch(text) else None
        except InvalidOperation:
            number = None
        if number is None:
            raise ConditionRefused(f"{value!r} is not a number, as the column's type needs")
        return f"{number:f}"
    if column.name == "boolean":
        if text.lower() not in ("true", "false"):
            raise ConditionRefused(f"{value!r} is neither true nor false")
        return text.upper()
    if column.is_time:
        return _time(text, column)
    if column.is_text:
        if "\0" in text or "\\" in text or "${" in text:
            raise ConditionRefused(
                f"{value!r}: a text here may not have a backslash, a NUL or ${{ in it"
            )
        quoted = text.replace("'", "''")
        return f"'{quoted}'"
    raise ConditionRefused(f"a {column.name} column cannot be compared with a value")


def _time(text: str, column: Type) -> str:
    try:
        if column.name == "date":
            return f"DATE '{date.fromisoformat(text):%Y-%m-%d}'"
        moment = datetime.fromisoformat(text)
        if moment.tzinfo:
            raise ConditionRefused(f"{text!r}: times are compared in UTC; leave out the zone")
        return f"TIMESTAMP '{moment.isoformat(sep=' ')}'"
    except ValueError as error:
        if isinstance(error, ConditionRefused):
            raise
        wanted = "2026-11-28" if column.name == "date" else "2026-11-28 07:00:15"
        raise ConditionRefused(f"{text!r} is not a {column.name} such as {wanted}") from None
