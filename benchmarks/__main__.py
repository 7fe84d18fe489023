"""``python -m benchmarks``: how fast the local Redshift is, beside DuckDB alone on the same machine.

Each figure is the median of a few runs; the two sides of a comparison take turns. Writes
build/bench.json. Exits with 1 if a figure is over its bound.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys

import duckdb

from benchmarks import copies, trips
from benchmarks.measure import Figure
from benchmarks.world import world
from local.environment import BUILD


def main() -> int:
    """Runs them, prints a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--events", type=int, default=1_000_000, help="log events of the large COPY"
    )
    parser.add_argument("--files", type=int, default=10_000, help="objects of the COPY of many")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    figures: list[Figure] = []
    with world() as here:
        for measured in (
            trips.round_trip(here),
            copies.large(here, given.events, given.runs),
            copies.many(here, given.files, given.runs),
        ):
            for figure in measured:
                print(figure, flush=True)
                figures.append(figure)
    BUILD.mkdir(exist_ok=True)
    document = {
        "machine": {"cpus": os.cpu_count(), "platform": platform.platform()},
        "duckdb": duckdb.__version__,
        "figures": [figure.document for figure in figures],
    }
    (BUILD / "bench.json").write_text(json.dumps(document, indent=2) + "\n")
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
