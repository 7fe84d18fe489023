"""Numbers, times and other people's texts, as the page shows them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

# Control characters, line separators, and what changes the direction of a text: in a key they could make it look like
# another one (unicode.org/reports/tr36, bidirectional text spoofing). Lone surrogates cannot be written as UTF-8.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def visible(text: object) -> str:
    """A text with the characters written out that nobody would see: ``a\\u202eb``."""
    shown = str(text)
    if shown.isascii() and shown.isprintable():
        return shown
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", shown)


def number(figure: float) -> str:
    return f"{figure:,}" if isinstance(figure, int) else f"{figure:,.2f}".rstrip("0").rstrip(".")


def count(figure: int, one: str, many: str = "") -> str:
    """1 file, 2 files."""
    return f"{figure:,} {one if figure == 1 else many or f'{one}s'}"


def duration(seconds: float) -> str:
    """0.3 s, 41 s, 12 min, 3 h, 2 days."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, size in (("day", 86400), ("h", 3600), ("min", 60)):
        if seconds >= (2 * size if unit == "day" else size):
            whole = seconds / size
            shown = f"{whole:.1f}".removesuffix(".0") if whole < 10 else f"{whole:.0f}"
            return f"{shown} {unit}s" if unit == "day" else f"{shown} {unit}"
    return f"{seconds:.0f} s"


def age(seconds: float) -> str:
    """just now, 3 min ago, 2 days ago: as page.js says it."""
    for unit, size in (("day", 86400), ("h", 3600), ("min", 60)):
        if whole := int(seconds // size) if seconds > 0 else 0:
            return f"{whole} {unit}{'s' if unit == 'day' and whole > 1 else ''} ago"
    return "just now"


def size(count: float) -> str:
    """Bytes: 812 B, 1.2 MB."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def dollars(amount: float) -> str:
    """$0.0004, $1.23; two digits that count at least."""
    if amount >= 1:
        return f"${amount:,.2f}"
    places = 2
    while places < 8 and 0 < amount < 10 ** (1 - places):
        places += 1
    return f"${amount:.{places}f}"


def moment(at: datetime) -> str:
    """1 Dec 2026, 05:46 UTC."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def short(at: datetime) -> str:
    """1 Dec 05:46, in UTC."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %H:%M}"


def iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parsed(text: object) -> datetime | None:
    """A time of a document (ISO 8601); None if it has none."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def every(schedule: object) -> timedelta:
    """How often a schedule runs: rate(1 hour). A cron expression counts as a day, anything else as an hour."""
    text = str(schedule)
    if found := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", text):
        return timedelta(**{f"{found[2]}s": int(found[1])})
    return timedelta(days=1) if text.startswith("cron(") else timedelta(hours=1)
