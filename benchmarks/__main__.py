"""``python -m benchmarks [PART …] [--quick]``: every figure of docs/performance.md, on this machine.

Writes benchmarks/results/<part>.json (results/quick/ with --quick) with the machine's description; exits with 1 if a
figure is over its bound. Both sides of a ratio are measured alternately, in one run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.lib import measure
from tests.world import machine

RESULTS = Path(__file__).parent / "results"
Document = dict[str, Any]
Part = Callable[[argparse.Namespace], Document]


def local(given: argparse.Namespace) -> Document:
    """the local Redshift compared with DuckDB alone"""
    from benchmarks import local

    return local.measure(*((100_000, 1_000) if given.quick else (1_000_000, 10_000)))


def costs(given: argparse.Namespace) -> Document:
    """what AWS counts of a load, and its dollars"""
    from benchmarks import costs

    return costs.measure(*((20_000, 100) if given.quick else (1_000_000, 1_000)))


def cold(given: argparse.Namespace) -> Document:
    """imports and clients of each function, compared with import boto3 and one client; sizes"""
    from benchmarks import cold

    return cold.measure(3 if given.quick else 9)


def plan(given: argparse.Namespace) -> Document:
    """planning many keys: time, memory, calls"""
    from benchmarks import plan

    return plan.measure([1_000, 20_000] if given.quick else [1_000, 100_000, 1_000_000])


def latency(given: argparse.Namespace) -> Document:
    """from the event of a file to its rows, on the local AWS"""
    from benchmarks import latency

    return latency.measure(3 if given.quick else 9)


def against(given: argparse.Namespace) -> Document:
    """compared with dlt, the notebook and DuckDB alone: a month, then one more day"""
    from benchmarks import against

    return against.measure(*((6_000, 50) if given.quick else (300_000, 500)))


def publish(given: argparse.Namespace) -> Document:
    """a publish against a large fact table"""
    from benchmarks import publish

    return publish.measure([0, 100_000] if given.quick else [0, 1_000_000, 10_000_000])


def scale(given: argparse.Namespace) -> Document:
    """many files and many events end to end on the local AWS: where the time goes"""
    from benchmarks import scale

    few, many = ((100, 1_000), (50_000,)), ((1_000, 10_000, 100_000), (1_000_000, 10_000_000))
    return scale.measure(*(few if given.quick else many))


def pressure(given: argparse.Namespace) -> Document:
    """a steady upload, at normal speed and with each publish slowed: concurrent loads, memory"""
    from benchmarks import pressure

    return pressure.measure(200 if given.quick else 3_000)


def add(given: argparse.Namespace) -> Document:
    """loader add over nested order events: seconds and memory"""
    from benchmarks import add

    return add.measure(20_000 if given.quick else 1_000_000)


def contracts(given: argparse.Namespace) -> Document:
    """order events by contract, compared with as many by songplays' SQL: seconds of SQL by step"""
    from benchmarks import contracts

    return contracts.measure(*((20_000, 3) if given.quick else (1_000_000, 1)))


def page(given: argparse.Namespace) -> Document:
    """the page of loads, in a browser: until it is shown, until a file is found"""
    from benchmarks import page

    return page.measure(*((1_000, 5_000) if given.quick else (10_000, 50_000)))


PARTS: dict[str, Part] = {
    "costs": costs, "latency": latency, "cold": cold, "plan": plan, "publish": publish, "scale": scale,
    "pressure": pressure, "against": against, "local": local, "add": add, "contracts": contracts,
    "page": page,
}  # fmt: skip


def main() -> int:
    """Runs the given parts, or all."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=(__doc__ or "").partition("\n\n")[0],
        epilog="; ".join(f"{name}: {part.__doc__}" for name, part in PARTS.items()),
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="small sizes, for a quick check")
    given = parser.parse_args()
    if unknown := set(given.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    folder = RESULTS / "quick" if given.quick else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    holds = True
    for name in given.parts or PARTS:
        print(f"{name}: {PARTS[name].__doc__}", flush=True)
        watch = machine.Watch()
        document = PARTS[name](given)
        document = {"machine": machine.description(), "run": watch.document, **document}
        text = measure.written(document) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
        holds = holds and document.get("holds", True)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
