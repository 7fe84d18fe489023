"""Keys of records that no column takes, as a load's report has them, with the place in the contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contracts.model import Contract


@dataclass(frozen=True)
class UnknownKey:
    """A key. path: as in the report; file: the first that has it; yaml: the line that takes it, '' without a contract.

    within: the table of an array to whose columns the line belongs, '' for the dataset's own columns.
    """

    path: str
    file: str
    yaml: str = ""
    within: str = ""


def keys(noticed: Iterable[Mapping[str, Any]], contract: Contract | None) -> list[UnknownKey]:
    """The unknown keys that a load's report names."""
    children = contract.children if contract else ()
    return [
        UnknownKey(
            str(one["path"]),
            str(one["file"]),
            str(one.get("suggested") or ""),
            next((c.name for c in children if str(one["path"]).startswith(f"{c.each}[]")), ""),
        )
        for one in noticed
    ]
