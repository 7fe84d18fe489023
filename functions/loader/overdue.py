"""Datasets whose files should have come: the contract says how often one should (expect), the sweep sees the newest."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from loader.datasets import Dataset


class Newest:
    """When the newest file of each dataset was uploaded, as a listing of the bucket shows it."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._files: Counter[str] = Counter()

    def add(self, dataset: Dataset, modified: str) -> None:
        """modified: ISO 8601, UTC."""
        self._of[dataset.name] = max(modified, self._of.get(dataset.name, ""))
        self._files[dataset.name] += 1

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Dataset -> its ``newest`` and how many ``files`` there are."""
        return {
            name: {"newest": newest, "files": self._files[name]}
            for name, newest in self._of.items()
        }

    def overdue(self, datasets: Iterable[Dataset], now: datetime) -> list[dict[str, Any]]:
        """The datasets of which no file has come for longer than expected, each with its newest file's time.

        A dataset that never had a file is not overdue: nobody has begun to upload.
        """
        found = []
        for dataset in datasets:
            newest = self._of.get(dataset.name)
            every = timedelta(seconds=dataset.expect_seconds)
            if every and newest and now - datetime.fromisoformat(newest) > every:
                found.append(
                    {"dataset": dataset.name, "newest": newest, "every": dataset.expect_seconds}
                )
        return found
