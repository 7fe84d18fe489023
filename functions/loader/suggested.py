"""The column that would take an unknown key: its type, by the values that were seen, and its line of dataset.yaml.

A suggestion for a person, with room: it is made of a sample.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# Names that the loader's own tables have, and so none of a contract's columns (contracts/reading.py).
OWN_NAMES = frozenset(
    ["load_id", "batch", "row_no", "reload_id", "position", "misfits", "valid_from", "valid_to"]
)
LONGEST_NAME = 60
MOST_DIGITS = 18  # of a decimal that is suggested
LENGTHS = (16, 32, 64, 128, 256, 512, 1024, 4096, 16384, 65535)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)? ?(Z|[-+]\d\d(:?\d\d)?)?", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WORD = re.compile(r"[^\W_]+")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_INDEX = "[]"


@dataclass(frozen=True)
class Seen:
    """What the values of a key are. kind: '' (only null), boolean, bigint, decimal, double precision, date, timestamp,
    varchar or super. longest: bytes of a text; whole, scale: digits of a decimal before and after the point.
    """

    kind: str = ""
    longest: int = 0
    whole: int = 0
    scale: int = 0

    @classmethod
    def of(cls, value: Any) -> "Seen":
        """What one value of a JSON record is, or a text of CSV."""
        if value is None:
            return cls()
        if isinstance(value, bool):
            return cls("boolean", len(str(value)))
        if isinstance(value, int):
            digits = len(str(abs(value)))
            return cls("bigint" if digits <= MOST_DIGITS else "varchar", digits + 1, digits)
        if isinstance(value, float):
            return _of_float(value)
        if isinstance(value, str):
            kind = "varchar"
            if (found := _TIME.fullmatch(value) or _DATE.fullmatch(value)) and _is_real(value):
                kind = "date" if found.re is _DATE else "timestamp"
            return cls(kind, len(value.encode(errors="replace")))
        return cls("super")

    def __or__(self, other: "Seen") -> "Seen":
        """What the values of both are."""
        longest = max(self.longest, other.longest)
        whole, scale = max(self.whole, other.whole), max(self.scale, other.scale)
        kinds = {self.kind, other.kind} - {""}
        if len(kinds) < 2:
            kind = next(iter(kinds), "")
        elif "super" in kinds:
            kind = "super"
        elif kinds == {"date", "timestamp"}:
            kind = "timestamp"
        elif kinds <= {"bigint", "decimal", "double precision"}:
            kind = "decimal" if "decimal" in kinds else "double precision"
            kind = "double precision" if "double precision" in kinds else kind
        else:
            kind = "varchar"
        return Seen(kind, longest, whole, scale)

    @property
    def type(self) -> str:
        """The type of a column that takes them, with room; of nothing but null a text."""
        if self.kind == "decimal":
            if self.whole + self.scale > MOST_DIGITS:
                return "double precision"
            return f"decimal({MOST_DIGITS},{self.scale})"
        if self.kind in ("", "varchar"):
            wanted = self.longest * 2
            return f"varchar({next((size for size in LENGTHS if size >= wanted), LENGTHS[-1])})"
        return self.kind


def _is_real(text: str) -> bool:
    try:
        datetime.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


def _of_float(value: float) -> Seen:
    whole, point, decimals = repr(value).lstrip("-").partition(".")
    if not point or not (whole + decimals).isdecimal():  # 1e+30, inf, nan
        return Seen("double precision", len(repr(value)))
    return Seen("decimal", len(repr(value)), len(whole), len(decimals))


def of_texts(texts: Sequence[str]) -> Seen:
    """What the values of a column of a CSV file are; an empty text is no value."""
    seen = Seen()
    for text in texts:
        if text.strip():
            seen |= Seen.of(_value(text.strip()))
    return seen


def _value(text: str) -> Any:
    """A number of CSV, if it is written as one; one with leading zeros is an id."""
    if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", text, re.ASCII):
        return json.loads(text)
    return text


def line(path: str, kind: str) -> str:
    """The line of dataset.yaml for a key, such as ``vip: {path: customer.vip, type: boolean}``.

    ``path`` as unmapped.py writes it. Of a key of an array's elements it is the line in the columns of their table.
    """
    below = path.rpartition(_INDEX)[2].removeprefix(".") if _INDEX in path else path
    return line_of_csv(below, kind)


def line_of_csv(below: str, kind: str) -> str:
    """The same for a column of CSV files, by its name in the header."""
    name = column_name(below)
    written = f'"{kind}"' if "," in kind else kind
    if name == below:
        return f"{name}: {written}"
    quoted = (
        below
        if _PLAIN.fullmatch(below)
        else json.dumps(below, ensure_ascii=not below.isprintable())
    )
    return f"{name}: {{path: {quoted}, type: {written}}}"


def column_name(path: str) -> str:
    """A name for the column: customer_e_mail for customer["e-mail"]."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", path)
    words = [word.lower() for word in _WORD.findall(split) if word.isascii()]
    name = "_".join(words)[:LONGEST_NAME].strip("_")
    if not name or not name[0].isalpha() or name in OWN_NAMES:
        name = f"column_{name}".rstrip("_")[:LONGEST_NAME]
    return name
