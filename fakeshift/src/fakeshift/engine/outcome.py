"""What a statement did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Outcome:
    """``rows`` returned or affected, -1 where neither makes sense."""

    rows: int = -1
    has_result: bool = False
