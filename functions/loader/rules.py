"""What the loader knows of the values of a contract's rows: dataset.json has it, in its field ``rows``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class ValueRule:
    """What the value of a column may be.

    name     as the staging tables have it in misfits: qty, order_items.qty
    each     the steps to the array whose elements have the column; None for a column of the record
    paths    the steps to the value, in the record or the element: the first that is there
    type     integer, varchar, …; array for the array of a table
    forms    regular expressions, of which one must match the text; () for any text
    says     what it should be: 'an integer'
    longest  bytes of a text; 0 for no limit
    scale    digits after the point of a number, which COPY itself has read; None for no such limit
    within   the least and the greatest number; () for no limits
    needed   why it must be there; '' if it need not
    """

    name: str
    each: Steps | None
    paths: tuple[Steps, ...]
    type: str
    forms: tuple[str, ...] = ()
    says: str = ""
    longest: int = 0
    scale: int | None = None
    within: tuple[int, ...] = ()
    needed: str = ""

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> ValueRule:
        each = said.get("each")
        return cls(
            said["name"],
            None if each is None else _steps(each),
            tuple(_steps(path) for path in said["paths"]),
            said["type"],
            tuple(said.get("forms", ())),
            said.get("says", ""),
            said.get("longest", 0),
            said.get("scale"),
            tuple(said.get("within", ())),
            said.get("needed", ""),
        )


@dataclass(frozen=True)
class CheckRule:
    """A check of the contract on a column. value: whose value it is; type '' if only its absence is judged.

    operator, operands: as contracts/conditions.py has them, the operands as texts
    """

    check: str
    value: ValueRule
    operator: str
    operands: tuple[str, ...]

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> CheckRule:
        return cls(said["check"], ValueRule.of(said), said["operator"], tuple(said["operands"]))

    @property
    def says(self) -> str:
        """The condition as a contract has it."""
        if self.operator == "between":
            return f"between {self.operands[0]} and {self.operands[1]}"
        if self.operator in ("in", "not in"):
            return f"{self.operator} ({', '.join(self.operands)})"
        return " ".join((self.operator, *self.operands))


@dataclass(frozen=True)
class Limit:
    """How many rows of a file may be bad: the smaller of most and percent, of which one may be None.

    raw: whether the text of bad rows is kept.
    """

    most: int | None
    percent: float | None
    raw: bool = True

    def of(self, records: int) -> int:
        """The limit of a file with so many records."""
        share = inf if self.percent is None else int(records * self.percent / 100)
        return int(min(inf if self.most is None else self.most, share))


@dataclass(frozen=True)
class RowRules:
    """The rules of a dataset's rows.

    null    the text in a CSV file that is NULL
    masked  whether a column is masked
    limit   of bad rows, which are left out; None if a file with any is rejected
    checks  of the contract, on a single value
    """

    values: tuple[ValueRule, ...]
    null: str = ""
    masked: bool = False
    limit: Limit | None = None
    checks: tuple[CheckRule, ...] = ()

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> RowRules:
        limit = said.get("limit")
        return cls(
            tuple(ValueRule.of(one) for one in said["values"]),
            said.get("null", ""),
            said.get("masked", False),
            Limit(limit["max"], limit["percent"], limit["raw"]) if limit else None,
            tuple(CheckRule.of(one) for one in said.get("checks", ())),
        )


def _steps(said: Sequence[str | int]) -> Steps:
    return tuple(said)
