"""The datasets of this repository, as their files are built."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from contracts import build
from contracts.document import ContractError
from local.problem import Problem


@dataclass(frozen=True)
class Dataset:
    """As its dataset.json describes it. ``folder``: where its built files are; none in tests. ``contract``: the digest
    of what its contract says of its tables, empty if it has none. ``expect_seconds``: how often a file should come, 0
    if it does not say.
    """

    name: str
    prefix: str
    suffixes: tuple[str, ...]
    fact_table: str = ""
    stage_table: str = ""
    folder: Path = Path()
    contract: str = ""
    expect_seconds: int = 0

    def takes(self, key: str) -> bool:
        """Whether an object with this key is a file of the dataset."""
        return key.startswith(self.prefix) and key.endswith(self.suffixes)


@cache
def datasets() -> tuple[Dataset, ...]:
    """The datasets, by name. Raises Problem if a dataset.yaml is wrong."""
    try:
        return of_tree(build.ready())
    except ContractError as error:
        raise Problem(str(error)) from error


def of_tree(built: Path) -> tuple[Dataset, ...]:
    """The datasets of a built tree, by name."""
    found = []
    for file in sorted(built.glob("datasets/*/dataset.json")):
        said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        found.append(
            Dataset(
                file.parent.name,
                str(said["prefix"]),
                tuple(said["suffixes"]),
                str(said.get("fact_table") or ""),
                str(said["stage_table"]),
                file.parent,
                str(said.get("contract") or ""),
                int(said.get("expect_seconds", 0)),
            )
        )
    return tuple(found)
