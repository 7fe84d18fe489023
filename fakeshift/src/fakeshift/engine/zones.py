"""Abbreviations of time zones, and offsets in POSIX form.

https://docs.aws.amazon.com/redshift/latest/dg/CONVERT_TIMEZONE.html#CONVERT_TIMEZONE-usage-notes
"""

from __future__ import annotations

OFFSETS = {
    "UTC": 0, "GMT": 0, "UCT": 0, "ZULU": 0, "Z": 0, "WET": 0,
    "NST": -210, "NDT": -150, "AST": -240, "ADT": -180, "EST": -300, "EDT": -240, "CST": -360,
    "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480,
    "HST": -600, "BST": 60, "WEST": 60, "CET": 60, "CEST": 120, "MET": 60, "MEST": 120,
    "EET": 120, "EEST": 180, "MSK": 180, "MSD": 240, "SGT": 480, "HKT": 480, "JST": 540,
    "KST": 540, "NZST": 720, "NZDT": 780,
}  # fmt: skip
"""Minutes east of UTC, all year round."""


def fixed(minutes: int) -> str:
    """Minutes east of UTC as DuckDB has them: ``-480`` -> ``GMT-08:00``."""
    if not minutes:
        return "UTC"
    sign = "+" if minutes > 0 else "-"
    return f"GMT{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def offset_of(abbreviation: str) -> str:
    """``PST`` -> ``-08:00``, as written after a timestamp."""
    return fixed(OFFSETS[abbreviation]).removeprefix("GMT").replace("UTC", "+00:00")
