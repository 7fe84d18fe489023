"""What the text of each value is: a closed list of kinds, found in SQL over all rows.

A value of JSON comes as its JSON text, so that "7" and 7 are different kinds; a field of CSV as its text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.add.records import Json, Table, rows_of

NUMBERS = ("whole", "point_zero", "decimal", "exponent")
"""12; 12.0; 12.5; 1.5e+30. The same of texts: with text_ before, and leading_zero."""
TIMES = ("date", "time", "time_zone")
"""2026-11-28; 2026-11-28T07:00:15; 2026-11-28T07:00:15+05:30."""
CODES = {
    # below 10: with digits after the point; below 20: numbers; below 30: times in two parts and a year
    "decimal": 1,
    "text_decimal": 2,
    "whole": 10,
    "point_zero": 11,
    "text_whole": 12,
    "text_point_zero": 13,
    "parts.": 20,
    "parts.m": 21,
    "parts.s": 22,
    "parts/": 23,
    "parts/m": 24,
    "parts/s": 25,
    "parts-": 26,
    "parts-m": 27,
    "parts-s": 28,
    "exponent": 30,
    "text_exponent": 31,
    "leading_zero": 32,
    "not_a_number": 33,
    "date": 40,
    "time": 41,
    "time_zone": 42,
    "year/": 43,
    "year.": 44,
    "uuid": 50,
    "ip": 51,
    "phone": 52,
    "email": 53,
    "text": 54,
    "text_boolean": 55,
    "null_text": 56,
    "empty": 57,
    "object": 60,
    "array": 61,
    "empty_array": 62,
    "boolean": 63,
    "json_null": 64,
}
ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
ZONE = r"(Z|[-+][0-9]{2}(:?[0-9]{2})?)"
_PARTS = r"[0-9]{2}[./-][0-9]{2}[./-][0-9]{4}"
_YEAR_FIRST = r"[0-9]{4}[./][0-9]{2}[./][0-9]{2}"
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
SHOWN = 200


@dataclass(frozen=True)
class Found:
    """The values of one kind at a path.

    distinct        about how many different ones; longest: bytes; example: one of them, cut
    low, high       of numbers, as floating point
    digits, scale   the most before and after the point; of a date in parts, the greatest first and second part
    """

    n: int
    distinct: int
    longest: int
    example: str
    low: float | None = None
    high: float | None = None
    digits: int = 0
    scale: int = 0


Stats = dict[str, Found]


def _text_kind(t: str) -> str:
    """The SQL that says the kind of a text. Branches are by the first character, because expressions cost time."""
    return f"""CASE
    WHEN ascii({t}) IN (0, 32) AND trim({t}) = '' THEN 'empty'
    WHEN ascii({t}) BETWEEN 48 AND 57 OR ascii({t}) IN (43, 45) THEN CASE
        WHEN strlen({t}) >= 16 AND contains({t}, ':') AND contains({t}, '-') THEN CASE
            WHEN regexp_full_match({t}, '{ISO}[T ]{CLOCK} ?{ZONE}') AND try_cast({t} AS TIMESTAMPTZ) IS NOT NULL
                THEN 'time_zone'
            WHEN regexp_full_match({t}, '{ISO}[T ]{CLOCK}') AND try_cast({t} AS TIMESTAMP) IS NOT NULL THEN 'time'
            WHEN regexp_full_match({t}, '{_PARTS} [0-9]{{2}}:[0-9]{{2}}') THEN 'parts-m'
            WHEN regexp_full_match({t}, '{_PARTS} [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}') THEN 'parts-s'
            ELSE 'text' END
        WHEN strlen({t}) <= 40 AND regexp_full_match({t}, '-?(0|[1-9][0-9]*)') THEN 'text_whole'
        WHEN regexp_full_match({t}, '0[0-9]+') THEN 'leading_zero'
        WHEN regexp_full_match({t}, '-?[0-9]{{1,20}}[.]0+') THEN 'text_point_zero'
        WHEN regexp_full_match({t}, '-?[0-9]{{1,38}}[.][0-9]{{1,37}}') THEN 'text_decimal'
        WHEN regexp_full_match({t}, '{ISO}') AND try_cast({t} AS DATE) IS NOT NULL THEN 'date'
        WHEN regexp_full_match({t}, '{_PARTS}( [0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}})?)?') THEN
            CASE {t}[3] WHEN '.' THEN 'parts.' WHEN '/' THEN 'parts/' ELSE 'parts-' END
            + CASE strlen({t}) WHEN 10 THEN 0 WHEN 16 THEN 1 ELSE 2 END
        WHEN regexp_full_match({t}, '{_YEAR_FIRST}') THEN CASE {t}[5] WHEN '/' THEN 'year/' ELSE 'year.' END
        WHEN regexp_full_match({t}, '{_UUID}') THEN 'uuid'
        WHEN regexp_full_match({t}, '[0-9]{{1,3}}([.][0-9]{{1,3}}){{3}}') THEN 'ip'
        WHEN regexp_full_match({t}, '[-+]?[0-9]+([.][0-9]*)?[eE][-+]?[0-9]+') THEN 'text_exponent'
        WHEN regexp_full_match({t}, '[+][0-9][0-9 ()/.-]{{6,18}}') THEN 'phone'
        WHEN contains({t}, '@') AND regexp_full_match({t}, '[^@\\s]+@[^@\\s]+[.][A-Za-z]{{2,}}') THEN 'email'
        ELSE 'text' END
    WHEN strlen({t}) <= 5 AND lower({t}) IN ('true', 'false') THEN 'text_boolean'
    WHEN strlen({t}) <= 4 AND {t} IN ('\\N', 'NULL', 'null', 'NA', 'N/A', 'n/a', 'None', 'nan', 'NaN') THEN 'null_text'
    WHEN contains({t}, '@') AND regexp_full_match({t}, '[^@\\s]+@[^@\\s]+[.][A-Za-z]{{2,}}') THEN 'email'
    WHEN strlen({t}) = 36 AND regexp_full_match({t}, '{_UUID}') THEN 'uuid'
    ELSE 'text' END"""


_JSON_TEXT = """CASE WHEN ascii(raw) = 34 THEN
    CASE WHEN contains(raw, '\\') THEN raw ->> '$' ELSE substr(raw, 2, length(raw) - 2) END
    WHEN ascii(raw) NOT IN (91, 123) THEN raw END"""
_JSON_KIND = """CASE ascii(raw)
    WHEN 34 THEN {text}
    WHEN 123 THEN 'object'
    WHEN 91 THEN CASE WHEN raw = '[]' THEN 'empty_array' ELSE 'array' END
    WHEN 116 THEN 'boolean' WHEN 102 THEN 'boolean' WHEN 110 THEN 'json_null'
    ELSE CASE
        WHEN regexp_full_match(raw, '-?[0-9]+') THEN 'whole'
        WHEN regexp_full_match(raw, '-?[0-9]+[.]0') THEN 'point_zero'
        WHEN regexp_full_match(raw, '-?[0-9]+[.][0-9]+') THEN 'decimal'
        WHEN regexp_full_match(raw, '-?[0-9.]+[eE][-+]?[0-9]+') THEN 'exponent'
        ELSE 'not_a_number' END END"""


def profile(records: Json | Table, paths: Sequence[Sequence[str]]) -> list[Stats]:
    """The kinds of values at each path, with what is to be known of them."""
    found: list[Stats] = [{} for _ in paths]
    if not paths:
        return found
    is_json = isinstance(records, Json)
    kind = _JSON_KIND.format(text=_text_kind("t")) if is_json else _text_kind("t")
    for name, code in CODES.items():  # numbers are grouped and compared faster than texts
        kind = kind.replace(f"'{name}'", str(code))
    text = _JSON_TEXT if is_json else "raw"
    query = f"""
SELECT p, kind, count(*), approx_count_distinct(t), max(strlen(t)), any_value(t),
    min(CASE WHEN kind < 20 THEN try_cast(t AS DOUBLE) END), max(CASE WHEN kind < 20 THEN try_cast(t AS DOUBLE) END),
    max(CASE WHEN kind < 20 THEN strlen(ltrim(split_part(t, '.', 1), '-'))
             WHEN kind < 30 THEN try_cast(substr(t, 1, 2) AS INTEGER) END),
    max(CASE WHEN kind < 10 THEN strlen(rtrim(split_part(t, '.', 2), '0'))
             WHEN kind BETWEEN 20 AND 29 THEN try_cast(substr(t, 4, 2) AS INTEGER) END)
FROM (SELECT p, t, {kind} AS kind FROM (SELECT p, raw, {text} AS t FROM (
    SELECT unnest(range({len(paths)})) AS p, unnest(v)::VARCHAR AS raw FROM ({records.values(paths)})
) WHERE raw IS NOT NULL)) GROUP BY p, kind ORDER BY p, kind"""  # noqa: S608
    names = {code: name for name, code in CODES.items()}
    for row in rows_of(records.db, query):
        found[row[0]][names[row[1]]] = _found(row[2:])
    return found


def _found(row: Sequence[Any]) -> Found:
    n, distinct, longest, example, low, high, digits, scale = row
    return Found(
        n,
        min(distinct, n),
        longest or 0,
        (example or "")[:SHOWN],
        low,
        high,
        digits or 0,
        scale or 0,
    )
