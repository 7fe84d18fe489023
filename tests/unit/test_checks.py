"""A check passes if its figure is a number and equal to the number that was expected."""

from typing import Any

import pytest
from loader.checks import CheckResult, sentence


@pytest.mark.parametrize(
    ("figure", "expected", "passed"),
    [
        (0, 0, True),
        (1882, 1882, True),
        (1, 0, False),
        (None, 0, False),
        (0, None, False),
        (None, None, False),
        ("?", "?", False),  # what an error does not tell has not passed
        ("none", "none", False),
    ],
)
def test_passed(figure: Any, expected: Any, passed: bool) -> None:
    result = CheckResult("songs_unique", "published", "0", figure, expected)
    assert result.passed is passed
    assert result.as_dict()["passed"] is passed


def test_a_person_reads_every_failed_check_with_its_figures() -> None:
    failed = [
        CheckResult("song_key_complete", "staged", "0", 7, 8),
        CheckResult("users_unique", "published", "0", 2, 0),
    ]
    assert sentence(failed) == (
        "the check song_key_complete on the staged rows failed: figure 7, expected 8; "
        "the check users_unique on the published rows failed: figure 2, expected 0"
    )
