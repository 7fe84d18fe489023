"""Interval literals. https://docs.aws.amazon.com/redshift/latest/dg/r_interval_data_types.html"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from sqlglot import exp

from fakeshift.dialect.dates import PART_OF
from fakeshift.errors import RedshiftError

_QUANTITY = re.compile(r"([+-]?\d*\.?\d+)\s*([a-z]*)[\s,]*", re.IGNORECASE)
_CLOCK = re.compile(r"([+-]?)(\d+):(\d+)(?::(\d+(?:\.\d+)?))?[\s,]*")
_YEARS_MONTHS = re.compile(r"([+-]?)(\d+)-(\d+)")
_MONTHS = {
    "millennium": 12000,
    "century": 1200,
    "decade": 120,
    "year": 12,
    "quarter": 3,
    "month": 1,
}
_DAYS = {"week": 7, "day": 1}
_MICROSECONDS = {
    "hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000, "millisecond": 1000,
    "microsecond": 1,
}  # fmt: skip
_DAYS_OF_A_MONTH = 30


@dataclass
class _Parts:
    """An interval as DuckDB keeps it; fractions are carried to the next smaller part."""

    months: Decimal = Decimal(0)
    days: Decimal = Decimal(0)
    microseconds: Decimal = Decimal(0)

    def add(self, number: Decimal, unit: str) -> None:
        """Adds a quantity of a unit."""
        if unit in _MONTHS:
            self.months += number * _MONTHS[unit]
        elif unit in _DAYS:
            self.days += number * _DAYS[unit]
        else:
            self.microseconds += number * _MICROSECONDS[unit]

    def text(self) -> str:
        """``14 months 3 days 1000000 microseconds``."""
        months = int(self.months)
        days = self.days + (self.months - months) * _DAYS_OF_A_MONTH
        whole = int(days)
        small = int(self.microseconds + (days - whole) * 24 * _MICROSECONDS["hour"])
        return f"{months} months {whole} days {small} microseconds"

    def cut_off(self, unit: str) -> None:
        """Drops parts smaller than a qualifier's unit."""
        if unit in ("year", "month"):
            self.days = self.microseconds = Decimal(0)
            self.months -= self.months % 12 if unit == "year" else 0
        elif unit == "day":
            self.microseconds = Decimal(0)
        elif unit in ("hour", "minute"):
            self.microseconds -= self.microseconds % _MICROSECONDS[unit]


def interval(node: exp.Interval) -> exp.Expr:
    """``INTERVAL '3 hours, 35 minutes'`` -> ``CAST('0 months 0 days 12900000000 microseconds' AS
    INTERVAL)``; a number alone is in seconds, or in the qualifier's unit.
    """
    return exp.Cast(this=plain(node).this, to=exp.DataType.build("INTERVAL"))


def plain(node: exp.Interval) -> exp.Interval:
    """``INTERVAL '1-2' YEAR TO MONTH`` -> ``INTERVAL '14 months 0 days 0 microseconds'``."""
    unit = node.args.get("unit")
    text = _normal(node.this.name, unit.name.lower() if unit is not None else "")
    return exp.Interval(this=exp.Literal.string(text))


def literal(text: str) -> exp.Expr:
    """``'3 hours'::interval`` -> ``CAST('0 months 0 days 10800000000 microseconds' AS INTERVAL)``."""
    return exp.Cast(this=exp.Literal.string(_normal(text)), to=exp.DataType.build("INTERVAL"))


def _normal(text: str, unit: str = "") -> str:
    """An interval's text for DuckDB. Raises RedshiftError if it is not an interval."""
    parts = _parsed(text.strip(), unit)
    if unit:
        parts.cut_off(unit)
    return parts.text()


def _parsed(text: str, unit: str) -> _Parts:
    parts = _Parts()
    years = _YEARS_MONTHS.fullmatch(text)
    if years:
        sign = -1 if years[1] == "-" else 1
        parts.add(Decimal(sign * (int(years[2]) * 12 + int(years[3]))), "month")
        return parts
    place = 0
    while place < len(text):
        clock, quantity = _CLOCK.match(text, place), _QUANTITY.match(text, place)
        found = clock or quantity
        if found is None:
            break
        if clock:
            sign = -1 if clock[1] == "-" else 1
            for number, name in ((2, "hour"), (3, "minute"), (4, "second")):
                parts.add(sign * Decimal(clock[number] or 0), name)
        else:
            named = PART_OF.get(found[2].lower()) if found[2] else unit or "second"
            if named not in {**_MONTHS, **_DAYS, **_MICROSECONDS}:
                break
            parts.add(Decimal(found[1]), str(named))
        place = found.end()
    if place == 0 or place < len(text):
        raise RedshiftError(f'invalid input syntax for type interval: "{text}"', sqlstate="22007")
    return parts
