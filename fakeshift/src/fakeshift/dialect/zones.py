"""Time zones: names, abbreviations, and offsets in POSIX form.

https://docs.aws.amazon.com/redshift/latest/dg/CONVERT_TIMEZONE.html#CONVERT_TIMEZONE-usage-notes
"""

from __future__ import annotations

import re

from sqlglot import exp

from fakeshift.engine.zones import OFFSETS, fixed
from fakeshift.errors import RedshiftError

_POSIX = re.compile(r"[A-Za-z_/]{3,}\s*([+-]?)(\d{1,2})(?::(\d{2}))?")
_NAMED = re.compile(r"(?:Etc/)?GMT[+-]?0|Etc/GMT[+-]\d+", re.IGNORECASE)


def zone(node: exp.Expr) -> exp.Expr:
    """``'PST'`` -> ``'GMT-08:00'``, also in summer; ``'NEWZONE +2'``, ``'PST8'`` -> ``'GMT-02:00'``,
    ``'GMT-08:00'``: POSIX counts west of Greenwich. A name such as ``'US/Pacific'`` stays unchanged.
    """
    if not node.is_string:
        return node
    name = node.name.strip()
    if name.upper() in OFFSETS:
        return exp.Literal.string(fixed(OFFSETS[name.upper()]))
    posix = _POSIX.fullmatch(name)
    if posix and not _NAMED.fullmatch(name):
        minutes = int(posix[2]) * 60 + int(posix[3] or 0)
        return exp.Literal.string(fixed(minutes if posix[1] == "-" else -minutes))
    if re.match(r"[+-]?\d", name):
        raise RedshiftError(f'time zone "{name}" not recognized', sqlstate="22023")
    return node


def at_time_zone(node: exp.AtTimeZone) -> exp.Expr:
    """``t AT TIME ZONE 'PST'`` -> ``t AT TIME ZONE 'GMT-08:00'``.

    https://docs.aws.amazon.com/redshift/latest/dg/r_AT_TIME_ZONE.html
    """
    node.set("zone", zone(node.args["zone"]))
    return node
