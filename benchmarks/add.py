"""``loader add`` over a million order events, about 450 MB, nested: seconds, memory, and whether it decides right.

The command runs in a process of its own, whose greatest resident memory the system reports when it has ended. The
events are written first, from a seed; their time does not count.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.lib.measure import Figure
from contracts.model import Contract
from contracts.reading import read

ROOT = Path(__file__).resolve().parent.parent
SECONDS, MEGABYTES = 30.0, 1000.0
SEED = 9
FILES = 10
_CITIES = (("Kraków", "PL"), ("København", "DK"), ("Berlin", "DE"), ("大阪", "JP"))
_WANTED = {
    "order_id": "VARCHAR(32)",
    "updated_at": "TIMESTAMP",
    "customer_id": "BIGINT",
    "customer_address_zip": "VARCHAR(32)",
    "total": "DECIMAL(12, 2)",
    "size": "VARCHAR(32)",
}


def measure(events: int) -> dict[str, Any]:
    """Writes the events, runs the command once, and compares what it decided with what the events are."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-add-") as folder:
        samples = Path(folder) / "orders"
        samples.mkdir()
        written = write(samples, events)
        words = ["add", "orders", str(samples), "--into", folder, "--yes"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "local", *words],
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'fakeshift' / 'src'}"},
            stdout=subprocess.DEVNULL,
        )
        took = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        contract = read(Path(folder) / "orders" / "dataset.yaml")
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)  # bytes there, kB on Linux
    figures = [
        Figure("seconds", took, SECONDS, parts={"processor": processor}),
        Figure("peak memory", peak, MEGABYTES, "MB"),
    ]
    for figure in figures:
        print(f"  {figure}", flush=True)
    wrong = _wrong(contract)
    return {
        "events": events,
        "megabytes": round(written / 1e6, 1),
        "figures": [figure.document for figure in figures],
        "wrong": wrong,
        "holds": not wrong and all(figure.holds for figure in figures),
    }


def _wrong(contract: Any) -> list[str]:
    """The decisions that are not what the events are."""
    assert isinstance(contract, Contract)
    found = {name: str(contract.column(name).type) for name in _WANTED}
    wrong = [f"{name}: {found[name]}" for name, type_ in _WANTED.items() if found[name] != type_]
    if (contract.key, contract.newest) != (("order_id",), "updated_at"):
        wrong.append(f"key: {contract.key}, newest: {contract.newest}")
    if [child.name for child in contract.children] != ["order_items"]:
        wrong.append(f"tables: {[child.name for child in contract.children]}")
    return wrong


def write(folder: Path, events: int) -> int:
    """Order events in FILES files; returns their bytes."""
    chance = random.Random(SEED)
    made = _events(chance, events)
    size = 0
    for number in range(FILES):
        path = folder / f"orders-{number}.jsonl"
        with path.open("w", encoding="utf-8") as out:
            for _ in range(events // FILES):
                out.write(json.dumps(next(made), ensure_ascii=False))
                out.write("\n")
        size += path.stat().st_size
    return size


def _events(chance: random.Random, events: int) -> Iterator[dict[str, Any]]:
    """Orders, of which a third are newer versions of earlier ones. A percent of ``size`` is a text, late only."""
    for number in range(events):
        order = number if chance.random() < 0.67 else chance.randrange(number + 1)
        second = number % 86_400
        moment = f"2026-{11 + number // (28 * 86_400) % 2}-{1 + number // 86_400 % 28:02}"
        city, country = _CITIES[order % len(_CITIES)]
        late = number > events // 2 and chance.random() < 0.02
        yield {
            "order_id": f"O-{order:07}",
            "status": chance.choice(("placed", "paid", "shipped", "cancelled")),
            "created_at": f"2026-11-{1 + order % 28:02}T05:47:{order % 60:02}Z",
            "updated_at": f"{moment}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z",
            "customer": {
                "id": 1000 + order % 90_000,
                "name": f"Zoë {order % 977}",
                "email": f"user{order % 90_000}@example.com",
                "address": {"city": city, "country": country, "zip": f"{order % 99_999:05}"},
            },
            "items": [
                {
                    "sku": f"SKU-{chance.randrange(9999):04}",
                    "qty": chance.randrange(1, 5),
                    "price": chance.randrange(9000) / 100,
                }
                for _ in range(chance.randrange(1, 4))
            ],
            "currency": "EUR",
            "total": chance.randrange(90_000) / 100,
            "size": "12 boxes" if late else chance.randrange(9),
            **({"gift_message": "Alles Gute 🎁"} if chance.random() < 0.1 else {}),
        }
