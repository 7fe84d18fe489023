"""A simulated result of many rows, a number and a NULL each (sql/plan/compare.sql), never all in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload


class Pages(Sequence[tuple[int, None]]):
    """The rows (0, None), (step, None), (2 step, None) … below ``end``."""

    def __init__(self, end: int, step: int = 1) -> None:
        self._numbers = range(0, end, step)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> tuple[int, None]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[int, None]]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [(number, None) for number in self._numbers[index]]
        return (self._numbers[index], None)


PAGE_BYTES = 1_000_000
_RECORD = 8 + 2 * 24
"""GetStatementResult's pages are of about a megabyte, as the local Redshift has them."""


def page(request: dict[str, Any], rows: Sequence[Any]) -> dict[str, Any]:
    """A page of GetStatementResult; ``rows`` are as those of Pages."""
    size = PAGE_BYTES // _RECORD
    begin = int(request.get("NextToken", "0"))
    answer: dict[str, Any] = {
        "Records": [
            [{"longValue": number}, {"isNull": True}] for number, _ in rows[begin : begin + size]
        ],
        "TotalNumRows": len(rows),
    }
    if begin + size < len(rows):
        answer["NextToken"] = str(begin + size)
    return answer
