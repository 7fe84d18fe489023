"""Order events by a contract against as many log events by the hand-written SQL of songplays: seconds of SQL.

Both load in one process with the local Redshift, one after the other, each into an empty warehouse. What counts is the
time that the statements of the load's steps run, not that of the functions. The orders are those of ``add``: nested,
with an array that becomes a table, a third of them newer versions.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.add import write
from benchmarks.lib.measure import Figure, median
from local.generator import DataSet
from tests.world.simulator import World
from tests.world.trees import with_contracts

TIMES = 1.5
DAYS = 10
STEPS = ("plan", "stage", "publish")
"""The second words of the statements' names; the rest (migrations, the end) does not depend on the events."""
CONTRACT = """\
description: Orders, a third of them newer versions of earlier ones
files: orders/*.jsonl
key: [order_id]
newest: updated_at
columns:
  order_id: varchar(32)
  status: varchar(32)
  created_at: timestamp
  updated_at: timestamp
  customer_id: {path: customer.id, type: bigint}
  customer_name: {path: customer.name, type: varchar(64)}
  customer_email: {path: customer.email, type: varchar(128)}
  city: {path: customer.address.city, type: varchar(64)}
  country: {path: customer.address.country, type: varchar(32)}
  zip: {path: customer.address.zip, type: varchar(32)}
  currency: varchar(32)
  total: "decimal(12,2)"
  size: varchar(32)
  gift_message: varchar(64)
tables:
  order_items:
    each: items
    columns: {sku: varchar(32), qty: integer, price: "decimal(12,2)"}
"""


def measure(events: int, rounds: int) -> dict[str, Any]:
    """Each side, ``rounds`` times alternately; the medians of the seconds."""
    runs: dict[str, list[dict[str, Any]]] = {"contract": [], "songplays": []}
    with tempfile.TemporaryDirectory(prefix="benchmarks-contracts-") as name:
        folder = Path(name)
        tree = with_contracts(folder / "tree", {"orders": CONTRACT})
        (folder / "orders").mkdir()
        write(folder / "orders", events)
        plays = DataSet(songs=150, users=1_000, days=DAYS, events=events, seed=1)
        for number in range(rounds):
            orders = (
                (f"orders/{path.name}", path.read_bytes()) for path in (folder / "orders").iterdir()
            )
            for side, files in (("contract", orders), ("songplays", plays.files())):
                runs[side].append(_load(folder / f"{side}-{number}", tree, files))
                print(f"  {side} {runs[side][-1]}", flush=True)
    seconds = {
        side: median([sum(run["seconds"].values()) for run in of]) for side, of in runs.items()
    }
    figure = Figure(
        "contract / songplays",
        seconds["contract"] / seconds["songplays"],
        TIMES,
        "times",
        parts=seconds,
    )
    print(f"  {figure}", flush=True)
    return {"events": events, "figures": [figure.document], "runs": runs, "holds": figure.holds}


def _load(folder: Path, tree: Path, files: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """Loads the files: rows staged, megabytes, seconds of each step's statements, and the slowest statements."""
    size = 0
    steps: dict[str, float] = defaultdict(float)
    slow: list[tuple[float, str]] = []
    with contextlib.redirect_stdout(io.StringIO()), World(folder, tree=tree) as world:
        for key, body in files:
            world.upload(key, body)
            size += len(body)
        world.settle()
        [(rows,)] = world.warehouse.query("SELECT SUM(rows_staged) FROM sparkify.loads")[0]
        for statement in world.warehouse.local.statements():
            step = next((word for word in statement.name.split() if word in STEPS), "")
            for part in statement.parts if step else ():
                seconds = part.duration / 1e9
                steps[step] += seconds
                slow.append((round(seconds, 3), f"{step}: {' '.join(part.sql.split())[:80]}"))
    return {
        "rows_staged": int(rows),
        "megabytes": round(size / 1e6, 1),
        "seconds": {step: round(steps[step], 3) for step in STEPS},
        "slowest": sorted(slow, reverse=True)[:8],
    }
