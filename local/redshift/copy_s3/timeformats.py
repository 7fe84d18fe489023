"""TIMEFORMAT and DATEFORMAT: from a field's text to a timestamp or a date.

https://docs.aws.amazon.com/redshift/latest/dg/r_DATEFORMAT_and_TIMEFORMAT_strings.html
https://docs.aws.amazon.com/redshift/latest/dg/automatic-recognition.html
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

Parse = Callable[[str], dt.datetime]
"""Raises ValueError for text that is not of the format."""

_CODES = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<year2>\d{2})",
    "MM": r"(?P<month>\d{1,2})",
    "MON": r"(?P<mon>[A-Za-z]{3,9})",
    "DD": r"(?P<day>\d{1,2})",
    "HH24": r"(?P<hour>\d{1,2})",
    "HH12": r"(?P<hour>\d{1,2})",
    "HH": r"(?P<hour>\d{1,2})",
    "MI": r"(?P<minute>\d{1,2})",
    "SS": r"(?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,6})\d*)?",
    "AM": r"(?P<meridian>[AaPp][Mm])",
    "PM": r"(?P<meridian>[AaPp][Mm])",
    "OF": r"(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)",
    "TZ": r"(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?)",
}
_TOKEN = re.compile("|".join(sorted(_CODES, key=len, reverse=True)) + "|.", re.DOTALL)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_DEFAULT = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"(?: (?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,6})\d*)?)?)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?)?"
)
_TIME = (
    r"(?:[ T]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6})\d*)?)?"
    r"\s*(?P<meridian>[AaPp][Mm])?\s*(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?"
)
_AUTO = tuple(
    re.compile(pattern + _TIME)
    for pattern in (
        r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
        r"(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})",
        r"(?P<year>\d{4})\.(?P<month>\d{1,2})\.(?P<day>\d{1,2})",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
        r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})",
        r"(?P<month>\d{1,2})-(?P<day>\d{1,2})-(?P<year>\d{4})",
        r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
        r"(?P<mon>[A-Za-z]{3,9})[- ](?P<day>\d{1,2}),?[- ](?P<year>\d{4})",
        r"(?P<day>\d{1,2})[- ](?P<mon>[A-Za-z]{3,9})[- ](?P<year>\d{4})",
        r"(?P<year>\d{4})-(?P<mon>[A-Za-z]{3,9})-(?P<day>\d{1,2})",
    )
)


def compile_format(pattern: str) -> Parse:
    """``MM/DD/YYYY HH24:MI`` as a parser; parts that the pattern lacks are zero.

    Raises ValueError for a pattern with no date in it.
    """
    out: list[str] = []
    named: set[str] = set()
    for token in _TOKEN.findall(pattern.upper() if pattern.upper() == pattern else pattern):
        code = _CODES.get(token.upper())
        if code is None:
            out.append(re.escape(token))
            continue
        names = set(re.findall(r"\?P<(\w+)>", code))
        if names & named:
            raise ValueError(f"{pattern}: {token} twice")
        named |= names
        out.append(code)
    if not named & {"year", "year2"}:
        raise ValueError(f"{pattern}: no year")
    expression = re.compile("".join(out))

    def parse(text: str) -> dt.datetime:
        match = expression.fullmatch(text.strip())
        if match is None:
            raise ValueError(text)
        return _moment(match)

    return parse


def default(text: str) -> dt.datetime:
    """``YYYY-MM-DD HH:MI:SS``, with a fraction or an offset perhaps, or the date alone."""
    match = _DEFAULT.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return _moment(match)


def automatic(text: str) -> dt.datetime:
    """'auto': ISO 8601 and the other formats that Redshift recognises by itself."""
    stripped = text.strip()
    for expression in _AUTO:
        match = expression.fullmatch(stripped)
        if match is not None:
            return _moment(match)
    raise ValueError(text)


def _moment(match: re.Match[str]) -> dt.datetime:
    """In UTC where there is an offset, without a zone."""
    part = match.groupdict()
    year = int(part["year"]) if part.get("year") else 2000 + int(part["year2"])
    named = part.get("mon")
    month = _MONTHS.index(named[:3].lower()) + 1 if named else int(part.get("month") or 1)
    hour = int(part.get("hour") or 0)
    meridian = (part.get("meridian") or "").lower()
    if meridian:
        hour = hour % 12 + (12 if meridian == "pm" else 0)
    fraction = (part.get("fraction") or "").ljust(6, "0")
    moment = dt.datetime(  # noqa: DTZ001 - Redshift's TIMESTAMP has no zone
        year,
        month,
        int(part.get("day") or 1),
        hour,
        int(part.get("minute") or 0),
        int(part.get("second") or 0),
        int(fraction or 0),
    )
    return moment - _offset(part.get("zone"))


def _offset(zone: str | None) -> dt.timedelta:
    if not zone or zone in ("Z", "UTC"):
        return dt.timedelta()
    digits = zone[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return dt.timedelta(minutes=-minutes if zone[0] == "-" else minutes)


def epoch(milliseconds: bool) -> Parse:
    """'epochsecs' and 'epochmillisecs': seconds or milliseconds since 1970, in UTC."""
    unit = 1000 if milliseconds else 1
    origin = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - Redshift's TIMESTAMP has no zone

    def parse(text: str) -> dt.datetime:
        number = float(text) if "." in text or "e" in text.lower() else int(text)
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        try:
            if isinstance(number, int):
                whole, rest = divmod(number, unit)
                return origin + dt.timedelta(seconds=whole, microseconds=rest * 1_000_000 // unit)
            return origin + dt.timedelta(microseconds=round(number * 1_000_000 / unit))
        except OverflowError as error:
            raise ValueError(text) from error

    return parse
