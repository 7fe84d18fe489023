"""TIMEFORMAT and DATEFORMAT: from a field's text to a timestamp or a date.

https://docs.aws.amazon.com/redshift/latest/dg/r_DATEFORMAT_and_TIMEFORMAT_strings.html
https://docs.aws.amazon.com/redshift/latest/dg/automatic-recognition.html
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable

from fakeshift.errors import unsupported

Parse = Callable[[str], dt.datetime]
"""Raises ValueError for text that does not match the format."""

_FRACTION = r"(?:\.(?P<fraction>\d{1,6})\d*)?"
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
    "SS": rf"(?P<second>\d{{1,2}}){_FRACTION}",
    "AM": r"(?P<meridian>[AaPp][Mm])",
    "PM": r"(?P<meridian>[AaPp][Mm])",
}
_ZONES = ("OF", "TZ", "tz")
""" "You can't include a time zone specifier (TZ, tz, or OF) in the timeformat_string." """
_TOKEN = re.compile("|".join(sorted((*_CODES, *_ZONES), key=len, reverse=True)) + "|.", re.DOTALL)
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip

_OFFSET = r"[+-]\d{1,2}(?::?\d{2})?"
_DEFAULT = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    rf"(?: (?P<hour>\d{{1,2}}):(?P<minute>\d{{1,2}})(?::(?P<second>\d{{1,2}}){_FRACTION})?)?"
    rf"\s*(?P<zone>Z|UTC|{_OFFSET})?"
)
_NAMED_ZONE = rf"(?P<zone>{_OFFSET}|[A-Za-z]+(?:/[A-Za-z_]+)*)"
_CLOCK = (
    r"(?P<hour>\d{1,2})"
    rf"(?::(?P<minute>\d{{2}})(?::(?P<second>\d{{2}}){_FRACTION})?"
    rf"|(?<=\d\d)(?P<minute2>\d{{2}})(?P<second2>\d{{2}}))"
    r"(?:\s*(?P<meridian>[AaPp][Mm])(?![A-Za-z]))?"
)
_REST = rf"(?:(?:\s+|T){_CLOCK})?(?:\s*{_NAMED_ZONE})?"
_YEAR = r"(?:(?P<year>\d{4})|(?P<year2>\d{2}))"
_MON = r"(?P<mon>[A-Za-z]{3,9})"
_AUTO = tuple(
    re.compile(pattern)
    for pattern in (
        *(
            date + _REST
            for date in (
                r"(?P<year>\d{4})(?P<by>[-/.])(?P<month>\d{1,2})(?P=by)(?P<day>\d{1,2})",
                r"(?P<year>\d{4})\.(?P<ordinal>\d{3})",
                r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
                r"(?P<year2>\d{2})(?P<month>\d{2})(?P<day>\d{2})",
                rf"(?P<month>\d{{1,2}})(?P<by>[-/.])(?P<day>\d{{1,2}})(?P=by){_YEAR}",
                rf"{_MON}[- ](?P<day>\d{{1,2}})(?:, ?|[- ]){_YEAR}",
                rf"(?P<day>\d{{1,2}})[- ]{_MON}[- ]{_YEAR}",
                rf"(?P<year>\d{{4}})-{_MON}-(?P<day>\d{{1,2}})",
                r"J(?P<julian>\d{1,7})",
            )
        ),
        rf"(?P<day>\d{{1,2}}) {_MON} {_CLOCK} (?P<year>\d{{4}})(?: {_NAMED_ZONE})?",
    )
)
_JULIAN_OF_YEAR_1 = 1721425
_HOURS = {
    "Z": 0, "UTC": 0, "GMT": 0, "ZULU": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
    "PST": -8, "PDT": -7, "WET": 0, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9,
}  # fmt: skip


def compile_format(pattern: str) -> Parse:
    """``MM/DD/YYYY HH24:MI`` as a parser; parts missing from the pattern are zero.

    Raises ValueError for a pattern with no date in it, or with a time zone.
    """
    out: list[str] = []
    named: set[str] = set()
    for token in _TOKEN.findall(pattern):
        if token in _ZONES:
            raise ValueError(f"{pattern}: a time zone")
        code = _CODES.get(token)
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


def default(*, zoned: bool) -> Parse:
    """``YYYY-MM-DD HH:MI:SS``, optionally with a fraction or an offset, or only the date.

    If it is not ``zoned``, "Time zone values in input strings are ignored" (dg/r_Datetime_types.html).
    """

    def parse(text: str) -> dt.datetime:
        match = _DEFAULT.fullmatch(text.strip())
        if match is None:
            raise ValueError(text)
        return _moment(match, zoned=zoned)

    return parse


def automatic(*, zoned: bool) -> Parse:
    """'auto': ISO 8601 and the other formats that Redshift recognises automatically.

    "The default MDY DateStyle mode is assumed" (dg/r_Date_and_time_literals.html); of ``17.12.1997`` the
    documentation says that it is recognised too (dg/r_Datetime_types.html).
    """

    def parse(text: str) -> dt.datetime:
        stripped = text.strip()
        if _BC.search(stripped):
            raise unsupported("COPY of a date BC")
        for expression in _AUTO:
            match = expression.fullmatch(stripped)
            if match is not None:
                return _moment(match, zoned=zoned)
        raise ValueError(text)

    return parse


_BC = re.compile(r"\d[^A-Za-z]*\bBC$", re.IGNORECASE)


def _moment(match: re.Match[str], *, zoned: bool = False) -> dt.datetime:
    """Without a zone; converted to UTC if the zone counts."""
    part = match.groupdict()
    hour = int(part.get("hour") or 0)
    meridian = (part.get("meridian") or "").lower()
    if meridian:
        hour = hour % 12 + (12 if meridian == "pm" else 0)
    fraction = (part.get("fraction") or "").ljust(6, "0")
    clock = dt.time(
        hour,
        int(part.get("minute") or part.get("minute2") or 0),
        int(part.get("second") or part.get("second2") or 0),
        int(fraction or 0),
    )
    moment = dt.datetime.combine(_day(part), clock)
    zone = part.get("zone")
    if not zone:
        return moment
    in_utc = _in_utc(moment, zone)  # an unknown zone is always an error
    return in_utc if zoned else moment


def _day(part: dict[str, str | None]) -> dt.date:
    if part.get("julian"):
        return dt.date.fromordinal(int(part["julian"] or 0) - _JULIAN_OF_YEAR_1)
    year = _year(part)
    if part.get("ordinal"):
        day = dt.date(year, 1, 1) + dt.timedelta(days=int(part["ordinal"] or 0) - 1)
        if day.year != year:
            raise ValueError(part["ordinal"])
        return day
    number = int(part.get("day") or 1)
    if part.get("mon"):
        return dt.date(year, _month(part["mon"] or ""), number)
    month = int(part.get("month") or 1)
    if month > 12 and part.get("by") == "." and number <= 12:
        month, number = number, month
    return dt.date(year, month, number)


def _year(part: dict[str, str | None]) -> int:
    """Two digits: 96 is 1996, as ``960108`` in dg/automatic-recognition.html shows; 08 is 2008."""
    if part.get("year"):
        return int(part["year"] or 0)
    short = int(part["year2"] or 0)
    return short + (1900 if short >= 70 else 2000)


def _month(name: str) -> int:
    """ "Month as a name (abbreviated name or full name)"."""
    lowered = name.lower()
    for number, month in enumerate(_MONTHS, 1):
        if lowered in (month, month[:3]):
            return number
    raise ValueError(name)


def _in_utc(moment: dt.datetime, zone: str) -> dt.datetime:
    """``-08``, ``-8:00``, ``PST``, ``US/Pacific``. Raises ValueError for an unknown zone."""
    if zone[0] in "+-":
        hours, _, minutes = zone[1:].partition(":")
        if len(hours) > 2:
            hours, minutes = hours[:-2], hours[-2:]
        offset = dt.timedelta(hours=int(hours), minutes=int(minutes or 0))
        return moment + offset if zone[0] == "-" else moment - offset
    if zone.upper() in _HOURS:
        return moment - dt.timedelta(hours=_HOURS[zone.upper()])
    try:
        named = zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(zone) from error
    return moment.replace(tzinfo=named).astimezone(dt.UTC).replace(tzinfo=None)


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
