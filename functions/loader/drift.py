"""Schema drift: JSON keys that no column loads, and columns that became empty. It is reported, and changes nothing.

Stage writes a document for each batch: its sample, the number of rows in which each column is filled, and what earlier
loads have seen. At its end the load sums them up, reports what is new, and records it for the next loads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from loader import keys
from loader.datasets import datasets
from loader.observability import logger
from loader.sampling import Sample
from loader.store import MissingObject, Store

if TYPE_CHECKING:
    from loader.state import Load, Sampled


CHANCE = 1e-6  # if an empty column is less likely than this, it is not by chance
MOST_KEYS = 1000  # recorded for a dataset
SEEN_AGAIN = timedelta(days=1)  # a known key is recorded again after this time
SHOWN_KEYS = 50
SHOWN_COLUMNS = 50
_OTHER_PATH = re.compile(r"__\d+$")  # contracts/generate/shape.py, landing

Row = dict[str, Any]


@dataclass
class Audit:
    """What the audit of the staged rows says about keys and columns (sql/stage/audit.sql)."""

    seen: dict[str, str] = field(default_factory=dict)  # path -> when last
    before: dict[str, list[Any]] = field(default_factory=dict)
    filled: dict[str, list[int]] = field(default_factory=dict)

    def take(self, row: tuple[Any, ...]) -> None:
        """Adds a row of kind key, column or filled; ignores any other."""
        kind, name, digest, figure, expected, first, last = row
        if kind == "key":
            self.seen[str(name)] = str(last)
        elif kind == "column":
            self.before[str(name)] = [int(figure or 0), int(expected or 0), first, last]
        elif kind == "filled" and digest:
            self.filled[str(name)] = [int(count) for count in str(digest).split(",")]

    def document(
        self, dataset: str, rows: int, files: int, sample: Sample, now: datetime
    ) -> dict[str, Any]:
        """The document for the end of the load. ``files``: those of the batch that are not empty."""
        counts = [n for part in sorted(self.filled, key=int) for n in self.filled[part]]
        filled: dict[str, int] = {}
        for landed, count in zip(datasets()[dataset].layout.columns, counts, strict=False):
            # By several paths a column lands in name, name__2 and so on. It is empty if all of them are.
            column = _OTHER_PATH.sub("", landed) if datasets()[dataset].contract else landed
            filled[column] = min(filled.get(column, 0) + count, rows)
        return {
            "dataset": dataset,
            "rows": rows,
            "sampled": sample.files,
            "of": files,
            "keys": [
                [
                    path,
                    key,
                    path not in self.seen,
                    _is_old(self.seen.get(path), now),
                    sample.suggested.get(path, ""),
                ]
                for path, key in sample.keys.items()
            ],
            "known": len(self.seen),
            "filled": filled,
            "before": {
                name: self.before[name]
                for name, count in filled.items()
                if not count and name in self.before
            },
        }


def _is_old(seen: str | None, now: datetime) -> bool:
    """Whether a key that was last seen at this time must be recorded again."""
    if seen is None:
        return True
    try:
        return now - datetime.fromisoformat(seen).replace(tzinfo=UTC) > SEEN_AGAIN
    except ValueError:
        return False


def _nothing() -> Sampled:
    return {}


@dataclass
class Drift:
    """The drift that a load noticed.

    report       for the load's report; {} if nothing was read
    sightings    rows of key_sightings
    figures      rows of column_figures
    """

    report: Sampled = field(default_factory=_nothing)
    sightings: list[Row] = field(default_factory=list)
    figures: list[Row] = field(default_factory=list)


def summarize(store: Store, load: Load, batches: Iterable[str]) -> Drift:
    """Sums up these batches. Never fails the load: a document that cannot be read is left out."""
    documents = []
    for batch in batches:
        try:
            documents.append(store.get(keys.drift(load["load_id"], batch)))
        except MissingObject:
            continue  # no rows were staged
        except Exception:
            logger.exception("the drift of a batch could not be read", batch=batch)
    if not documents:
        return Drift()
    seen, sightings = _keys(load, documents)
    empty, figures = _columns(load, documents)
    report: Sampled = {
        "files": sum(one["sampled"] for one in documents),
        "of": sum(one["of"] for one in documents),
        "keys": seen[:SHOWN_KEYS],
        "keys_total": len(seen),
        "new_keys": sum(key["new"] for key in seen),
        "unread_headers": sum(one.get("unread_headers", 0) for one in documents),
        "empty_columns": empty[:SHOWN_COLUMNS],
        "empty_columns_total": len(empty),
    }
    return Drift(report, sightings, figures)


def _keys(load: Load, documents: list[Row]) -> tuple[list[Row], list[Row]]:
    """The keys for the report, the new ones first, and the rows to record."""
    found: dict[tuple[str, str], Row] = {}
    noted: dict[str, int] = {}
    rows = []
    for one in documents:
        name = one["dataset"]
        for path, key, new, again, *more in one["keys"]:
            if (name, path) in found:
                continue
            found[name, path] = {"dataset": name, "path": path, "file": key, "new": new}
            suggested = {"suggested": more[0]} if more and more[0] else {}
            found[name, path] |= suggested
            if new:
                noted[name] = noted.get(name, 0) + 1
                if one["known"] + noted[name] > MOST_KEYS:
                    continue
            if again:
                row = {"dataset": name, "path": path, "key": key, "load_id": load["load_id"]}
                rows.append(row | suggested)
    return sorted(found.values(), key=lambda key: (not key["new"], key["dataset"])), rows


def _columns(load: Load, documents: list[Row]) -> tuple[list[Row], list[Row]]:
    """The columns that were usually filled and are empty in all of the load's rows, and the rows to record."""
    rows: dict[str, int] = {}
    filled: dict[tuple[str, str], int] = {}
    before: dict[tuple[str, str], list[Any]] = {}
    for one in documents:
        name = one["dataset"]
        if not one["filled"]:
            continue
        rows[name] = rows.get(name, 0) + one["rows"]
        for column, count in one["filled"].items():
            filled[name, column] = filled.get((name, column), 0) + count
            if column in one["before"]:
                before[name, column] = one["before"][column]
    empty, figures = [], []
    for (name, column), count in filled.items():
        if not rows[name]:
            continue
        known = before.get((name, column))
        tell = bool(known) and not count and became_empty(known or [], rows[name])
        if tell and known:
            share = round(known[1] / known[0], 6)
            row = {"dataset": name, "column": column, "rows": rows[name]}
            empty.append(row | {"rows_before": known[0], "filled_before": share})
        figures.append({
            "dataset": name,
            "column_name": column,
            "load_id": load["load_id"],
            "rows_staged": rows[name],
            "filled": count,
            "told": int(tell),
        })  # fmt: skip
    return empty, figures


def became_empty(before: list[Any], rows: int) -> bool:
    """Whether to report a column that is empty in all of these rows.

    ``before``: its rows so far, how many were filled, when it was last filled, and when it was last reported as empty.
    One row more than there were counts as empty, so that after a few rows a column does not count as always filled.
    """
    known, filled, last_filled, last_told = before
    if last_told and last_told >= (last_filled or ""):
        return False
    return bool((1 - filled / (known + 1)) ** rows < CHANCE)
