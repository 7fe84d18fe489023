"""Numbers and times as the page shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from loader.page import text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0.0 s"), (0.04, "0.0 s"), (9.96, "10.0 s"), (41.4, "41 s"), (60, "1 min"), (90, "1.5 min"), (5400, "1.5 h"),
     (43200, "12 h"), (86400, "24 h"), (172800, "2 days"), (7 * 86400, "7 days")],
)  # fmt: skip
def test_a_duration_has_two_digits(seconds: float, said: str) -> None:
    assert text.duration(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "just now"), (59, "just now"), (60, "1 min ago"), (3599, "59 min ago"), (86399, "23 h ago"),
     (86400, "1 day ago"), (200000, "2 days ago")],
)  # fmt: skip
def test_an_age(seconds: float, said: str) -> None:
    assert text.age(seconds) == said


@pytest.mark.parametrize(
    ("dollars", "said"),
    [
        (0, "$0.00"),
        (0.000412, "$0.00041"),
        (0.0499, "$0.050"),
        (0.5, "$0.50"),
        (1234.5, "$1,234.50"),
    ],
)
def test_dollars_have_two_digits_that_count(dollars: float, said: str) -> None:
    assert text.dollars(dollars) == said


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 B"), (999, "999 B"), (1200, "1.2 KB"), (45_600_000, "46 MB"), (7e12, "7.0 TB")],
)
def test_a_size(size: float, said: str) -> None:
    assert text.size(size) == said


@pytest.mark.parametrize(
    "given", ["2026-12-01T05:46:10Z", "2026-12-01T07:46:10+02:00", "2026-12-01T05:46:10"]
)
def test_a_time_without_an_offset_is_utc(given: str) -> None:
    at = text.parsed(given)
    assert at == datetime(2026, 12, 1, 5, 46, 10, tzinfo=UTC)
    assert text.moment(at.astimezone(timezone(timedelta(hours=9)))) == "1 Dec 2026, 05:46 UTC"


@pytest.mark.parametrize("given", [None, "", "yesterday", 7])
def test_what_is_no_time_is_none(given: object) -> None:
    assert text.parsed(given) is None


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [("rate(5 minutes)", 300), ("rate(1 hour)", 3600), ("rate(2 days)", 172800), ("cron(0 4 * * ? *)", 86400),
     (None, 3600)],
)  # fmt: skip
def test_a_schedule(schedule: object, seconds: int) -> None:
    assert text.every(schedule).total_seconds() == seconds
