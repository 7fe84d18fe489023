"""The document that a load leaves in the history (history.py): its report, and what the page shows beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from loader import keys
from loader.batches import TRIED_AGAIN
from loader.datasets import datasets
from loader.observability import SERVICE
from loader.settings import settings

if TYPE_CHECKING:
    from loader.state import BatchEnd, Load, Report, Result


FILES = 1000  # of a load's document, those that are not loaded first
KINDS = ("loaded", "rejected", *TRIED_AGAIN)
GONE = (
    "The execution ended without its last step: it was stopped, it ran for longer than a day, or that step failed. Its "
    "history in the console shows which. What it had published is loaded; the sweep cleans up and loads the rest."
)


def asked_by(execution: str, mark: object = "") -> str:
    """events, sweep or person. ``mark``: that of the load (loader/state.py)."""
    name = execution.rpartition(":")[2]
    if mark or name.startswith("sweep-"):
        return "sweep"
    return "events" if name.startswith(keys.EVENT_EXECUTIONS) else "person"


def document_of(
    load: Load,
    execution: str,
    ended: Iterable[BatchEnd],
    results: list[Result],
    report: Report,
    calls: Mapping[str, int],
) -> dict[str, Any]:
    """A load's document. A reader must not rely on any field but load_id: a later version may have others.

    execution: its ARN. calls: how often each step was called.
    files: [key, outcome, bytes], at most FILES, of files_total.
    """
    files = [file for result in results for file in result.get("files", ())]
    return {
        **_beginning(load["load_id"], execution, load["started"], load.get("mark")),
        "log_stream": os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME"),
        "mode": report["mode"],
        "status": report["status"],
        "report": report,
        "datasets": by_dataset(results),
        "files": sorted(files, key=lambda file: bool(file[1] == "loaded"))[:FILES],
        "files_total": sum(int(result.get(kind, 0)) for result in results for kind in KINDS),  # type: ignore[call-overload]
        "batches": _batches(ended, results),
        "steps": dict(calls),
    }


def document_of_gone(load_id: str, execution: str) -> dict[str, Any]:
    """The document of a load that never came to its last step."""
    started = datetime.strptime(load_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC).isoformat()
    report = {"load_id": load_id, "status": "failed", "mode": "load", "cause": GONE}
    return {
        **_beginning(load_id, execution, started),
        "mode": "load",
        "status": "failed",
        "report": report,
    }


def _beginning(load_id: str, execution: str, started: str, mark: object = "") -> dict[str, Any]:
    return {
        "version": 1,
        "load_id": load_id,
        "execution": execution,
        "asked": asked_by(execution, mark),
        "started": started,
        "ended": datetime.now(UTC).isoformat(),
        "schema": settings().schema,
        "region": settings().region,
        "stack": SERVICE,
    }


def by_dataset(results: list[Result]) -> dict[str, dict[str, int]]:
    """Files by outcome, rows staged, rows rejected and bytes of each dataset."""
    found: dict[str, dict[str, int]] = {}
    known = datasets()
    for result in results:
        name = result["dataset"]
        one = found.setdefault(name, dict.fromkeys((*KINDS, "rows", "rows_rejected", "bytes"), 0))
        for kind in KINDS:
            one[kind] += int(result.get(kind, 0))  # type: ignore[call-overload]
        if name in known:
            one["rows"] += int(result["rows"].get(known[name].stage_table) or 0)
        one["rows_rejected"] += result.get("rows_rejected", 0)
        one["bytes"] += result.get("bytes", 0)
    return found


def _batches(ended: Iterable[BatchEnd], results: list[Result]) -> list[dict[str, Any]]:
    """What became of each batch; a batch that was published in parts has several results."""
    published = [
        {
            "batch": result["batch"],
            "dataset": result["dataset"],
            "outcome": "published",
            "files": sum(int(result.get(kind, 0)) for kind in KINDS),  # type: ignore[call-overload]
            "seconds": result["seconds"],
        }
        for result in results
    ]
    failed = [
        {"batch": batch.get("batch"), "outcome": "failed"}
        for batch in ended
        if batch.get("outcome") != "published"
    ]
    return failed + published
