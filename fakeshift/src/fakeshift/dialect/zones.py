"""Time zones: names, abbreviations, and offsets as POSIX has them.

https://docs.aws.amazon.com/redshift/latest/dg/CONVERT_TIMEZONE.html#CONVERT_TIMEZONE-usage-notes
"""

from __future__ import annotations

import re

from sqlglot import exp

from fakeshift.engine.errors import RedshiftError

_OFFSETS = {
    "UTC": 0, "GMT": 0, "UCT": 0, "ZULU": 0, "Z": 0, "WET": 0,
    "NST": -210, "NDT": -150, "AST": -240, "ADT": -180, "EST": -300, "EDT": -240, "CST": -360,
    "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480,
    "HST": -600, "BST": 60, "WEST": 60, "CET": 60, "CEST": 120, "MET": 60, "MEST": 120,
    "EET": 120, "EEST": 180, "MSK": 180, "MSD": 240, "SGT": 480, "HKT": 480, "JST": 540,
    "KST": 540, "NZST": 720, "NZDT": 780,
}  # fmt: skip
"""Minutes east of UTC, all the year."""
_POSIX = re.compile(r"[A-Za-z_/]{3,}\s*([+-]?)(\d{1,2})(?::(\d{2}))?")
_NAMED = re.compile(r"(?:Etc/)?GMT[+-]?0|Etc/GMT[+-]\d+", re.IGNORECASE)


def zone(node: exp.Expr) -> exp.Expr:
    """``'PST'`` -> ``'GMT-08:00'``, in summer too; ``'NEWZONE +2'``, ``'PST8'`` -> ``'GMT-02:00'``,
    ``'GMT-08:00'``: POSIX counts west of Greenwich. A name such as ``'US/Pacific'`` stays.
    """
    if not node.is_string:
        return node
    name = node.name.strip()
    if name.upper() in _OFFSETS:
        return exp.Literal.string(_fixed(_OFFSETS[name.upper()]))
    posix = _POSIX.fullmatch(name)
    if posix and not _NAMED.fullmatch(name):
        minutes = int(posix[2]) * 60 + int(posix[3] or 0)
        return exp.Literal.string(_fixed(minutes if posix[1] == "-" else -minutes))
    if re.match(r"[+-]?\d", name):
        raise RedshiftError(f'time zone "{name}" not recognized', sqlstate="22023")
    return node


def _fixed(minutes: int) -> str:
    if not minutes:
        return "UTC"
    sign = "+" if minutes > 0 else "-"
    return f"GMT{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def at_time_zone(node: exp.AtTimeZone) -> exp.Expr:
    """``t AT TIME ZONE 'PST'`` -> ``t AT TIME ZONE 'GMT-08:00'``.

    https://docs.aws.amazon.com/redshift/latest/dg/r_AT_TIME_ZONE.html
    """
    node.set("zone", zone(node.args["zone"]))
    return node


def offset_of(abbreviation: str) -> str:
    """``PST`` -> ``-08:00``, as it stands behind a timestamp."""
    return _fixed(_OFFSETS[abbreviation]).removeprefix("GMT").replace("UTC", "+00:00")


ABBREVIATIONS = tuple(_OFFSETS)
