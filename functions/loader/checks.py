"""The result of a check: a figure beside the figure that was expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from loader.state import Check


@dataclass(frozen=True)
class CheckResult:
    """One check of one batch; ``on`` is staged or published. It passed if figure and expected are equal numbers.

    definition is a digest of its SQL: a check that was changed is another check.
    """

    name: str
    on: Literal["staged", "published"]
    batch: str
    figure: Any
    expected: Any
    definition: str = ""

    @property
    def passed(self) -> bool:
        return isinstance(self.figure, int | float) and self.figure == self.expected

    def as_dict(self) -> Check:
        return {
            "name": self.name,
            "on": self.on,
            "batch": self.batch,
            "figure": self.figure,
            "expected": self.expected,
            "definition": self.definition,
            "passed": self.passed,
        }


def number(text: str) -> int | str:
    """A figure from Redshift's error text; '?' and 'none' stay as they are."""
    return int(text) if text.lstrip("-").isdigit() else text


def sentence(failed: Sequence[CheckResult]) -> str:
    """What a person reads when checks failed: each by its name with both figures."""
    return "; ".join(
        f"the check {c.name} on the {c.on} rows failed: figure {c.figure}, expected {c.expected}"
        for c in failed
    )
