"""Every conformance case, and the page generated from them."""

from __future__ import annotations

import pytest

from conformance import page
from conformance.model import Case, read_topics
from conformance.runner import Runner

CASES = [case for topic in read_topics() for case in topic.cases]


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_case(conformance: Runner, case: Case) -> None:
    conformance.check(case)


def test_the_page_is_what_the_cases_make() -> None:
    """``python -m conformance.page`` writes it."""
    assert page.PATH.read_text(encoding="utf-8") == page.text(), "make the page again"
