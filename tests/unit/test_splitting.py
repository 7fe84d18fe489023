"""Part by part: what comes after a part of a halved batch, and when a suspicion is proved."""

import pytest
from loader.checks import CheckResult
from loader.splitting import MAX_SUSPECTS, name_parts, next_part, set_aside
from loader.state import BatchState, Suspicion

WHY: Suspicion = {"cause": "cannot be read", "checks": []}
FAILED = CheckResult("c", "staged", "0", 1, 0).as_dict()


@pytest.mark.parametrize(
    ("state", "good", "expected"),
    [
        # A batch that was never halved.
        ({}, True, {"outcome": "published"}),
        ({}, False, {"outcome": "published"}),  # only the ledger: files that are rejected or empty
        # The parts in their order; that one was good is known from then on.
        (
            {"todo": ["1", "2"]},
            True,
            {"outcome": "next", "batch": "1", "todo": ["2"], "suspects": [], "good": True},
        ),
        (
            {"todo": ["1"], "good": True},
            False,
            {"outcome": "next", "batch": "1", "todo": [], "suspects": [], "good": True},
        ),
        # Suspects come last, and only after a good part.
        (
            {"todo": ["1"], "suspects": ["x"], "suspicion": WHY},
            True,
            {"outcome": "next", "batch": "1", "suspects": ["x"], "good": True},
        ),
        (
            {"suspects": ["x", "y"], "suspicion": WHY},
            True,
            {"outcome": "next", "batch": "x", "todo": ["y"], "suspects": [], "good": True},
        ),
        # Nothing was good: no file is judged, they are recorded as they are held; then the batch fails with why.
        (
            {"suspects": ["x", "y"], "suspicion": WHY},
            False,
            {"outcome": "next", "batch": "x", "todo": ["y"], "held": True, "suspicion": WHY},
        ),
        ({"held": True, "suspicion": WHY}, False, {"outcome": "failed", **WHY}),
        # So many that the rest is not tried.
        (
            {"todo": ["1"], "suspects": ["x"] * MAX_SUSPECTS, "suspicion": WHY},
            False,
            {"outcome": "next", "batch": "x", "todo": ["x"] * (MAX_SUSPECTS - 1), "held": True},
        ),
        (
            {"todo": ["1"], "suspects": ["x"] * (MAX_SUSPECTS - 1), "suspicion": WHY},
            False,
            {"outcome": "next", "batch": "1"},
        ),
    ],
)
def test_next_part(state: BatchState, good: bool, expected: BatchState) -> None:
    answer = next_part({"batch": "0", "known": 2, "parts": 4, "attempt": 3, **state}, good=good)
    assert expected.items() <= answer.items()
    assert (answer["known"], answer["parts"]) == (2, 4)
    assert "attempt" not in answer  # a part begins anew


def test_a_part_is_put_aside() -> None:
    answer = set_aside(
        {"batch": "0.1", "todo": ["0.2"], "suspects": ["x"], "parts": 2}, "why", [FAILED]
    )
    assert (answer["outcome"], answer["batch"]) == ("next", "0.2")
    assert answer["suspects"] == ["x", "0.1"]
    assert answer["suspicion"] == {"cause": "why", "checks": [FAILED]}
    assert answer["parts"] == 2  # so that no name is given twice


def test_no_two_parts_of_a_batch_share_a_name() -> None:
    state: BatchState = {"batch": "3", "todo": ["x"]}
    state, first = name_parts(state, 2)
    assert (state["batch"], state["parts"], first) == ("3", 2, ["3.1", "3.2"])
    state, second = name_parts({**next_part({**state, "todo": ["3.2"]}), "todo": []}, 2)
    assert (state["batch"], state["parts"], second) == ("3.2", 4, ["3.3", "3.4"])
