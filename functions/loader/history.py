"""The history of loads in the work bucket: what each load and the last sweep left."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from loader.store import Store

LOADS = "history/loads/"
DAYS = "history/days/"
SWEEP = "history/sweep.json"


@dataclass(frozen=True)
class History:
    """loads: a document each, in no order. sweep: what the last sweep saw; None if there was none."""

    loads: list[dict[str, Any]] = field(default_factory=list)
    sweep: dict[str, Any] | None = None


def read_history(store: Store, days: int, now: datetime) -> History:
    """The loads of so many days, today included."""
    names = [f"{now - timedelta(days=number):%Y-%m-%d}" for number in range(days)]
    folded = {key for key in store.keys(DAYS) if key.removeprefix(DAYS)[:10] in names}
    loads: dict[str, dict[str, Any]] = {}
    closed = set()
    for key in folded:
        document = read(store, key)
        loads |= {each["load_id"]: each for each in document["loads"]}
        if document.get("closed"):
            closed.add(document["day"])
    for name in names:
        if name in closed:
            continue
        for key in store.keys(f"{LOADS}{name}/"):
            if key.rpartition("/")[2].removesuffix(".json.gz") not in loads:
                each = read(store, key)
                loads[each["load_id"]] = each
    sweep = store.get(SWEEP) if SWEEP in store.keys(SWEEP) else None
    return History(list(loads.values()), sweep)


def read(store: Store, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(store._body(key).read()))
    return found
