"""Files under a dataset's prefix that match no dataset: with another suffix, one in capitals, or none.

They are not loaded, but reported: by a dry run, by a load that lists the bucket, and by each sweep.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loader.datasets import Dataset
from loader.store import DataFile

if TYPE_CHECKING:
    from loader.state import UnmatchedFiles


SHOWN = 10  # keys
KEPT = 100_000  # keys of a list


def dataset_above(key: str, known: Iterable[Dataset]) -> Dataset | None:
    """The dataset under whose prefix the key is, whether it matches or not; of several, the one with the longest
    prefix. None for a folder marker of the console, which is not a file.
    """
    if key.endswith("/"):
        return None
    found = [dataset for dataset in known if key.startswith(dataset.prefix)]
    return max(found, key=lambda dataset: len(dataset.prefix), default=None)


@dataclass
class Unmatched:
    """How many, of which datasets' prefixes, and the first keys."""

    files: int = 0
    datasets: dict[str, int] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    def add(self, file: DataFile, dataset: Dataset) -> None:
        """Counts a file under a prefix of this dataset."""
        self.files += 1
        self.datasets[dataset.name] = self.datasets.get(dataset.name, 0) + 1
        if len(self.keys) < KEPT:
            self.keys.append(file.key)

    def as_dict(self) -> UnmatchedFiles:
        """{"files": n, "datasets": {name: n}, "keys": [the first]}"""
        return {"files": self.files, "datasets": self.datasets, "keys": self.keys[:SHOWN]}
