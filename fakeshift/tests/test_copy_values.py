"""Values in, COPY from JSON, SELECT: the same values out, for every type, at its edges too.

All generated rows of a type are loaded by one COPY and read by one SELECT over the Data API.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import struct
from collections.abc import Callable
from typing import Any

import pytest
from conftest import ROLE, Bucket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warehouse import Warehouse


def whole(bits: int) -> st.SearchStrategy[int]:
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    return st.one_of(st.integers(low, high), st.sampled_from([low, low + 1, -1, 0, 1, high]))


def of_bytes(size: int, alphabet: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.text(alphabet, max_size=size).filter(lambda text: len(text.encode()) <= size)


characters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
ascii_only = st.characters(min_codepoint=1, max_codepoint=127)
reals = st.floats(width=32, allow_nan=False, allow_infinity=False)
floats = st.floats(allow_nan=False, allow_infinity=False)
moments = st.datetimes()


def same(value: Any) -> Any:
    return value


def fixed(value: decimal.Decimal) -> str:
    return format(value, "f")


def trimmed(moment: dt.datetime) -> str:
    """As the Data API shows a timestamp: a fraction without zeros at its end."""
    text = moment.isoformat(" ", "microseconds")
    return text.rstrip("0").rstrip(".")


def real(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


# type, values, content of the file, result of SELECT
KINDS: list[tuple[str, st.SearchStrategy[Any], Callable[[Any], Any], Callable[[Any], Any]]] = [
    ("SMALLINT", whole(16), same, same),
    ("INTEGER", whole(32), str, same),
    ("BIGINT", whole(64), same, same),
    ("BOOLEAN", st.booleans(), same, same),
    ("REAL", reals, same, real),
    ("DOUBLE PRECISION", floats, same, same),
    ("DECIMAL(38,0)", st.integers(-(10**38) + 1, 10**38 - 1), str, str),
    ("DECIMAL(18,4)", st.decimals(-(10**13), 10**13, places=4), fixed, fixed),
    ("VARCHAR(40)", of_bytes(40, characters), same, same),
    ("CHAR(12)", of_bytes(12, ascii_only), same, lambda text: text.rstrip(" ")),
    ("DATE", st.dates(dt.date(1, 1, 1)), dt.date.isoformat, dt.date.isoformat),
    ("TIMESTAMP", moments, lambda moment: moment.isoformat(" "), trimmed),
]


@pytest.mark.parametrize(("kind", "values", "written", "read"), KINDS, ids=[k for k, *_ in KINDS])
def test_what_goes_in_comes_out(
    copying: Warehouse, s3: Bucket, kind: str, values: Any, written: Any, read: Any
) -> None:
    copying.run(f"CREATE TABLE t.x (n INT, a {kind})")

    @settings(
        max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(st.one_of(st.none(), values), min_size=150, max_size=150))
    def check(given: list[Any]) -> None:
        lines = [
            json.dumps({"n": number, "a": None if value is None else written(value)})
            for number, value in enumerate(given)
        ]
        url = s3.put("a.json", "\n".join(lines))
        copying.run("DELETE FROM t.x")
        copying.run(f"COPY t.x FROM '{url}' IAM_ROLE '{ROLE}' JSON 'auto'")
        rows = copying.rows("SELECT a FROM t.x ORDER BY n")
        assert [row[0] for row in rows] == [None if v is None else read(v) for v in given]

    check()
