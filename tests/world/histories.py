"""Documents of a history, made for the page: functions/loader/history.py writes such ones."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 12, 1, 14, 0, tzinfo=UTC)
MACHINE = "arn:aws:states:us-west-2:123456789012:execution:s3-redshift-loader-load"
EVIL_KEY = "orders/<img src=x onerror=alert(1)>.jsonl"
EVIL_REASON = "Bad </script><script>alert(2)</script> \u2028 ]]> \u202egnp.exe"
Document = dict[str, Any]


def iso(at: datetime) -> str:
    return at.isoformat()


def load_id(at: datetime, number: int = 0) -> str:
    return f"{at:%Y%m%d-%H%M%S}-{number:08x}"


def load(
    at: datetime,
    files: list[tuple[str, str]] | None = None,
    *,
    number: int = 0,
    status: str = "loaded",
    mode: str = "load",
    asked: str = "events",
    rows: int = 120,
    reason: str = "Invalid digit, Value 't', Pos 0, Type: Integer",
    execution: str = "",
    **report: Any,
) -> Document:
    """The document of a load of files (key, outcome)."""
    files = files if files is not None else [("orders/a.jsonl", "loaded")]
    outcomes = Counter(outcome for _, outcome in files)
    name = load_id(at, number)
    by_dataset: dict[str, Counter[str]] = {}
    for key, outcome in files:
        by_dataset.setdefault(key.partition("/")[0], Counter())[outcome] += 1
    kinds = ("loaded", "rejected", "unreadable", "waiting")
    left_out = {
        kind: [
            {"key": key, "line": 7, "column": "qty", "code": 1207, "reason": reason}
            for key, outcome in files
            if outcome == kind
        ][:20]
        for kind in kinds[1:]
    }
    return {
        "version": 1,
        "load_id": name,
        "execution": execution or f"{MACHINE}:{asked}-{name}",
        "log_stream": None,
        "asked": asked,
        "started": iso(at),
        "ended": iso(at + timedelta(seconds=4)),
        "mode": mode,
        "status": status,
        "schema": "sparkify",
        "region": "us-west-2",
        "stack": "s3-redshift-loader",
        "report": {
            "load_id": name,
            "status": status,
            "mode": mode,
            "files": {"listed": len(files), "known": 0, "failed": 0}
            | {kind: outcomes[kind] for kind in kinds},
            "rows": {"orders": rows, "order_items": rows * 3} if outcomes["loaded"] else {},
            "checks": [
                {"name": "orders_unique", "on": "published", "batch": "0", "figure": 0, "expected": 0, "passed": True}
            ],
            "checks_total": 8,
            "rejected_total": outcomes["rejected"],
            "seconds": {"total": 4.1, "plan": 0.4, "stage": 1.9, "publish": 1.2},
            "spent": {"transitions": 10, "function_calls": 5, "data_api_calls": 6, "s3_requests": 24,
                      "gb_seconds": 3.2},
            **left_out,
            **report,
        },
        "datasets": {
            name: {kind: counted[kind] for kind in kinds}
            | {"rows": rows if counted["loaded"] else 0, "rows_rejected": 0, "bytes": 4096}
            for name, counted in by_dataset.items()
        },
        "files": [[key, outcome, 4096] for key, outcome in files[:1000]],
        "files_total": len(files),
        "batches": [
            {"batch": "0", "dataset": "orders", "outcome": "published", "files": len(files),
             "seconds": {"stage": 1.9, "publish": 1.2}}
        ],
        "steps": {"plan": 1, "stage": 1, "publish": 1, "finish": 1},
    }  # fmt: skip


def sweep(at: datetime = NOW - timedelta(minutes=10), **changes: Any) -> Document:
    """The sweep's document."""
    return {
        "version": 1,
        "at": iso(at),
        "schedule": "rate(1 hour)",
        "paused": False,
        "oldest_not_loaded_seconds": 0,
        "not_taken": {"files": 0, "datasets": {}, "keys": []},
        "waiting": {"files": 0, "lists": 0},
        "datasets": {
            "orders": {"prefix": "orders/", "suffixes": [".jsonl"], "newest": iso(NOW - timedelta(minutes=20)),
                       "files": 12, "expect_seconds": 86400, "contract": True},
            "log_data": {"prefix": "log_data/", "suffixes": [".json"], "newest": iso(NOW - timedelta(hours=3)),
                         "files": 7, "expect_seconds": 0, "contract": False},
        },
        "running": 0,
        "table_version": 14,
        "started": None,
        **changes,
    }  # fmt: skip


def well(count: int = 3) -> list[Document]:
    """Loads without anything to complain about, the last ten minutes before NOW."""
    return [
        load(
            NOW - timedelta(minutes=10 + 60 * n),
            [(f"orders/{n}.jsonl", "loaded")],
            number=0x100 + n,
        )
        for n in range(count)
    ]


def many(loads: int, files: int, seed: int = 1) -> list[Document]:
    """So many loads over thirty days, with so many files in all; some of them bad, in a few ways."""
    chance = random.Random(seed)
    each = max(files // loads, 1)
    span = timedelta(days=30) / loads
    made = []
    for number in range(loads):
        at = NOW - timedelta(minutes=4) - number * span
        bad = chance.random() < 0.02
        named = [
            (f"{chance.choice(('orders', 'log_data', 'song_data'))}/{at:%Y/%m/%d}/part-{number:05d}-{n}.jsonl.gz",
             "rejected" if bad and n == 0 else "loaded")
            for n in range(each)
        ]  # fmt: skip
        made.append(
            load(at, named, number=number, rows=chance.randrange(50, 4000),
                 asked=chance.choice(("events", "events", "events", "sweep", "person")))
        )  # fmt: skip
    return made
