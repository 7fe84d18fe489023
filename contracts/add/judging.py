"""What type a column gets, and why, from the kinds of values that it has.

Nothing is decided that would lose or change a value of the samples: mixed kinds become text, leading zeros stay, and a
number that floating point would change becomes a decimal.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from contracts.add import names
from contracts.add.rules import NUMBERS, Found, Stats
from contracts.types import LONGEST_VARCHAR, MOST_DIGITS

LENGTHS = (32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, LONGEST_VARCHAR)
HEADROOM = 2
MOST_SCALE = 4
EXACT = 2**53
"""Floating point has every whole number up to this one."""
_INEXACT = (
    "COPY reads JSON numbers for bigint as floating point, exact up to 2^53; a decimal is exact"
)
_LARGEST = 9_200_000_000_000_000_000
_SECONDS = (946_684_800, 4_102_444_800)  # 2000-01-01 to 2100-01-01
_TIME_WORDS = {
    *(
        "time",
        "timestamp",
        "ts",
        "at",
        "date",
        "datetime",
        "epoch",
        "unix",
        "created",
        "updated",
        "modified",
    ),
    *(
        "changed",
        "registration",
        "registered",
        "expires",
        "expiry",
        "start",
        "started",
        "end",
        "ended",
        "since",
    ),
    *("until", "ms", "on"),
}
_DAY_WORDS = {"date", "day", "dt", "on", "birthday", "dob"}
_ID_WORDS = {
    *(
        "id",
        "ids",
        "key",
        "uuid",
        "guid",
        "no",
        "nr",
        "number",
        "code",
        "ref",
        "sku",
        "isbn",
        "ean",
        "iban",
    )
}
_TEXT_WORDS = {
    *("zip", "zipcode", "postcode", "postal", "plz", "phone", "tel", "telephone", "mobile", "fax"),
    *("iban", "ean", "isbn", "ssn"),
}
_PEOPLE = {
    *(
        "customer",
        "user",
        "person",
        "contact",
        "employee",
        "patient",
        "buyer",
        "recipient",
        "billing",
    ),
    "shipping",
}
_NOT_VALUES = ("json_null", "empty")
Ask = Callable[[str, Sequence[tuple[str, str]]], str]
"""A question and its answers (value, what it means), the first of them for the case that nobody answers."""


@dataclass
class Decision:
    """A column's type and the rest of its line. why: reasons to show; warnings: what a person should look at."""

    type: str
    format: str = ""
    why: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def words_of(name: str) -> set[str]:
    """The words of a column's name."""
    return set(name.split("_"))


def is_id(name: str) -> bool:
    """Whether a name says that the values identify something."""
    return bool({*name.rstrip("_").split("_")[-1:]} & _ID_WORDS)


def values(stats: Stats) -> Stats:
    """The kinds that are values: not null, not an empty text."""
    return {kind: found for kind, found in stats.items() if kind not in _NOT_VALUES}


def varchar(longest: int) -> str:
    """A VARCHAR with room for texts of twice the bytes."""
    fitting = (length for length in LENGTHS if length >= HEADROOM * longest)
    return f"varchar({next(fitting, LONGEST_VARCHAR)})"


def decide(name: str, stats: Stats, *, csv: bool, ask: Ask) -> Decision:
    """The type of a column with these values."""
    found = values(stats)
    if csv:  # the dataset's null text: it is NULL
        found.pop("null_text", None)
    refused = found.pop("not_a_number", None)
    decision = _decided(name, found, csv, ask)
    if refused:
        decision.warnings.append(
            f"{refused.example} is not JSON: COPY rejects {refused.n:,} row{'s' if refused.n > 1 else ''} with it"
        )
    return decision


def _decided(name: str, found: Stats, csv: bool, ask: Ask) -> Decision:
    kinds = set(found)
    if not kinds:
        return Decision(
            "varchar(256)" if csv else "super",
            warnings=["no value in the samples: its type is a guess"],
        )
    numbers = {k for k in kinds if k in NUMBERS or k.removeprefix("text_") in NUMBERS}
    if kinds <= {"boolean", "text_boolean"}:
        why = ["true and false"] if "boolean" in kinds else ["the texts true and false"]
        return Decision("boolean", why=why)
    if kinds == numbers and not _stays_text(name, kinds, found, csv):
        return _number(name, found, csv, ask)
    if kinds <= {"date", "time", "time_zone"}:
        return _time(found)
    if all(kind.startswith("parts") for kind in kinds):
        return _parts(name, found, ask)
    if len(kinds) == 1 and kinds <= {"year/", "year."}:
        mark = kinds.pop()[-1]
        return Decision("date", f"YYYY{mark}MM{mark}DD", ["a date"])
    return _text(name, found, csv)


def _stays_text(name: str, kinds: set[str], found: Stats, csv: bool) -> bool:
    """Whether numbers that are written as texts are texts."""
    if csv:
        return bool(words_of(name) & _TEXT_WORDS)
    quoted = {kind for kind in kinds if kind.startswith("text_")}
    if not quoted or quoted & {"text_decimal", "text_exponent"}:
        return bool(quoted) and is_id(name)
    if _is_day(name, found):
        return False
    return not kinds - quoted or is_id(name)


# -- texts -------------------------------------------------------------------------------------
def _text(name: str, found: Stats, csv: bool) -> Decision:
    kinds = set(found)
    longest = max(each.longest for each in found.values())
    decision = Decision(varchar(longest))
    if "uuid" in kinds and len(kinds) == 1:
        return Decision("varchar(64)", why=["UUIDs"])
    if "leading_zero" in kinds and kinds <= {"leading_zero", "text_whole"}:
        decision.why.append("leading zeros: stays text")
    elif kinds <= {"text_whole", "text_point_zero", "text_decimal", "text_exponent"} or (
        csv and kinds <= {"whole"}
    ):
        why = "its name says so" if words_of(name) & _TEXT_WORDS else "they are quoted"
        decision.why.append(f"digits that stay text: {why}")
    else:
        decision.why.append(f"up to {longest:,} bytes")
        decision.warnings += _mixed(found)
    if longest > LONGEST_VARCHAR:
        decision.warnings.append(
            f"a text has {longest:,} bytes, and COPY takes at most {LONGEST_VARCHAR:,}: its row is bad"
        )
    return decision


_PLAIN_TEXT = ("text", "email", "uuid", "ip", "phone", "null_text", "text_boolean")
_DIGITS = "texts of a number"
_SAID = {
    **dict.fromkeys(NUMBERS, "numbers"),
    **{f"text_{kind}": _DIGITS for kind in NUMBERS},
    "leading_zero": _DIGITS,
    "boolean": "booleans",
    "date": "dates",
    "time": "times",
    "time_zone": "times",
}


def _mixed(found: Stats) -> list[str]:
    """A warning if some values are of another kind than the others, with counts and an example of the fewest."""
    groups: dict[str, list[Found]] = {}
    for kind, each in found.items():
        said = "texts" if kind in _PLAIN_TEXT else _SAID.get(kind, "dates")
        groups.setdefault(said, []).append(each)
    total = sum(each.n for each in found.values())
    counts = {said: sum(each.n for each in some) for said, some in groups.items()}
    texts = counts.get("texts", 0)
    odd = [said for said in counts if said != "texts"]
    if len(counts) == 1 or (texts >= 0.8 * total and set(odd) <= {_DIGITS, "dates", "times"}):
        return []
    fewest = min(counts, key=lambda said: counts[said])
    told = ", ".join(
        f"{n:,} {said if n > 1 else said.replace('s ', ' ').removesuffix('s')}"
        for said, n in sorted(counts.items(), key=lambda c: -c[1])
    )
    example = groups[fewest][0].example
    return [f"values of several kinds: {told} (such as {example[:40]!r}); so it is text"]


# -- numbers -----------------------------------------------------------------------------------
def _number(name: str, found: Stats, csv: bool, ask: Ask) -> Decision:
    kinds = {kind.removeprefix("text_") for kind in found}
    if "exponent" in kinds:
        return Decision("double precision", why=["numbers with exponents"])
    low = min(each.low for each in found.values() if each.low is not None)
    high = max(each.high for each in found.values() if each.high is not None)
    digits = max(each.digits for each in found.values())
    quoted = sum(each.n for kind, each in found.items() if kind.startswith("text_"))
    decision = _fraction(found, digits) if "decimal" in kinds else None
    if decision is None:
        decision = _epoch(name, low, high, found, ask) or _whole(name, low, high, digits, csv)
        if "point_zero" in kinds:
            decision.why.append("some are written 12.0")
    if quoted and not csv:
        total = sum(each.n for each in found.values())
        decision.why.append(f"{quoted:,} of {total:,} are quoted")
    return decision


def _fraction(found: Stats, digits: int) -> Decision:
    most = max(each.scale for each in found.values())
    if most > MOST_SCALE:
        many = f"up to {most} digits after the point"
        return Decision("double precision", why=[f"{many}: measured, not counted"])
    scale = 2 if most <= 2 else MOST_SCALE
    precision = next((p for p in (12, 18, MOST_DIGITS) if p >= digits + scale + 4), 0)
    if not precision:
        return Decision("double precision", why=[f"{digits} digits before the point"])
    return Decision(
        f"decimal({precision},{scale})",
        why=[f"at most {most} digit{'s' if most != 1 else ''} after the point"],
    )


def _whole(name: str, low: float, high: float, digits: int, csv: bool) -> Decision:
    size = max(abs(low), abs(high))
    shown = f"{low:,.0f} to {high:,.0f}" if low < high else f"always {low:,.0f}"
    if digits > MOST_DIGITS - 2:
        return Decision(varchar(digits), why=[f"{digits} digits, more than a number has"])
    if size > (_LARGEST if csv else EXACT):
        precision = min(MOST_DIGITS, max(19, digits + 1))
        return Decision(
            f"decimal({precision},0)",
            why=[f"{digits} digits: {'too many for bigint' if csv else _INEXACT}"],
        )
    if low == 0 and high == 1 and not is_id(name):
        return Decision("smallint", why=["0 and 1: flags"])
    if not is_id(name) and size * 100 <= 2**31:
        return Decision("integer", why=[shown])
    return Decision("bigint", why=[shown])


def _is_day(name: str, found: Stats) -> bool:
    """Whether whole numbers are days as 20261128."""
    return bool(
        words_of(name) & _DAY_WORDS
        and set(found) == {"text_whole"}
        and all(
            each.longest == each.digits == 8
            and 19000101 <= (each.low or 0) <= (each.high or 0) <= 21001231
            for each in found.values()
        )
    )


def _epoch(name: str, low: float, high: float, found: Stats, ask: Ask) -> Decision | None:
    """A time that is counted in seconds or milliseconds; None if it is none."""
    if _is_day(name, found):
        return Decision("date", "YYYYMMDD", ["days as 20261128"])
    for format_, factor, said in (
        ("epoch_seconds", 1, "seconds"),
        ("epoch_milliseconds", 1000, "milliseconds"),
    ):
        if not _SECONDS[0] * factor <= low <= high <= _SECONDS[1] * factor:
            continue
        since = f"{said} since 1970"
        if words_of(name) & _TIME_WORDS:
            return Decision("timestamp", format_, [f"{since}, by its name and range"])
        if is_id(name) or factor == 1:  # nine to ten digits are usual for other numbers too
            return None
        answer = ask(
            f"{name} has numbers from {low:.0f} to {high:.0f}. Are they {since}?",
            [("number", "a number"), ("time", f"a time: {format_}")],
        )
        if answer == "time":
            return Decision("timestamp", format_, [since])
        return Decision(
            "bigint", why=[f"could be {since}: then {{type: timestamp, format: {format_}}}"]
        )
    hinted = words_of(name) & (_TIME_WORDS - {"on", "end", "start"})
    if hinted and low < _SECONDS[1] < high and low >= _SECONDS[0] and high <= _SECONDS[1] * 1000:
        return Decision(
            "bigint",
            warnings=[
                "seconds and milliseconds since 1970 are mixed, so it is a number, not a time"
            ],
        )
    if hinted and _SECONDS[0] * 10**6 <= low <= high <= _SECONDS[1] * 10**9:
        made = _whole(name, low, high, len(f"{high:.0f}"), csv=False)
        made.warnings.append("micro- or nanoseconds since 1970, which no format reads: a number")
        return made
    return None


# -- times -------------------------------------------------------------------------------------
def _time(found: Stats) -> Decision:
    kinds = set(found)
    if kinds == {"date"}:
        return Decision("date", why=["dates"])
    decision = Decision("timestamp")
    if "time_zone" in kinds:
        decision.why.append("times with zone, stored as UTC")
    else:
        decision.why.append("times without zone, taken as UTC")
    if {"time", "time_zone"} <= kinds:
        bare, zoned = found["time"], found["time_zone"]
        decision.warnings.append(
            f"{zoned.n:,} times have a zone and {bare.n:,} have none (such as {bare.example!r}): these are taken as UTC"
        )
    if "date" in kinds:
        decision.why.append(f"{found['date'].n:,} are dates only: midnight")
    return decision


def _parts(name: str, found: Stats, ask: Ask) -> Decision:
    """Dates as 28.11.2026, 28/11/2026 or 11/28/2026."""
    marks = {kind[5] for kind in found}
    clocks = {kind[6:] for kind in found}
    if len(marks) > 1 or len(clocks) > 1:
        made = Decision(varchar(max(each.longest for each in found.values())))
        made.warnings.append("dates in several formats, so it is text")
        return made
    mark, clock = marks.pop(), clocks.pop()
    first = max(each.digits for each in found.values())
    second = max(each.scale for each in found.values())
    day_first = f"DD{mark}MM{mark}YYYY"
    month_first = f"MM{mark}DD{mark}YYYY"
    warnings: list[str] = []
    if first > 12 and second > 12:
        made = Decision(varchar(10))
        made.warnings.append("days and months are in either order, so it is text")
        return made
    if first > 12 or (mark == "." and second <= 12):
        format_, why = (
            day_first,
            f"a first number of {first}" if first > 12 else "points: day first",
        )
    elif second > 12:
        format_, why = month_first, f"a second number of {second}"
    else:
        options = [(day_first, "the day first"), (month_first, "the month first")]
        if mark == "/":
            options.reverse()
        format_ = ask(f"{name}: is it {day_first} or {month_first}? No value shows it.", options)
        why = "either order fits the samples"
    suffix = {"": "", "m": " HH24:MI", "s": " HH24:MI:SS"}[clock]
    return Decision(
        "timestamp" if suffix else "date", format_ + suffix, [f"{format_}: {why}"], warnings
    )


# -- persons -----------------------------------------------------------------------------------
def personal(name: str, path: Sequence[str], stats: Stats) -> str:
    """What of a person the values are: 'an e-mail address', 'a phone number' …; '' if nothing says so."""
    found = values(stats)
    total = sum(each.n for each in found.values())
    for kind, said in (
        ("email", "an e-mail address"),
        ("ip", "an IP address"),
        ("phone", "a phone number"),
    ):
        if total and kind in found and found[kind].n >= 0.5 * total:
            return said
    here = words_of(name)
    above = {word for key in path[:-1] for word in names.words(key).split("_")}
    texts = found.keys() & {"text", "text_whole", "leading_zero", "text_decimal"}
    if here & {"email", "mail"} and "text" in found:
        return "an e-mail address"
    if here & {"phone", "tel", "telephone", "mobile", "fax"} and (texts or "whole" in found):
        return "a phone number"
    if (
        here & {"ssn", "passport", "iban", "birthday", "dob", "birthdate"}
        or {"birth", "date"} <= here
    ):
        return "a person's number or date"
    last = names.words(path[-1]) if path else name
    if "text" in found and (
        re.search(r"(^|_)(first|last|sur|given|family)_?name$", name)
        or (last in ("name", "full_name", "fullname") and (above & _PEOPLE or name == "full_name"))
        or (last in ("street", "address", "address1", "street_address"))
    ):
        return "a person's name or address"
    return ""
