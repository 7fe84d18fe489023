"""What a load cost outside the warehouse, by AWS's list prices of one region (prices.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

# What a load counts (loader/usage.py) -> its price. Its requests to S3 are not told apart: all are priced as PUT, the
# dearer ones.
PRICED = {
    "transitions": "transition",
    "function_calls": "invocation",
    "s3_requests": "s3_put",
    "gb_seconds": "gb_second",
}


@cache
def prices() -> dict[str, Any]:
    """The document: ``region``, ``read`` (a month), ``prices``: of one thing ``dollars``, ``per`` so many, ``page``."""
    path = Path(__file__).with_name("prices.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def price(of: str) -> float:
    """Dollars of one of it."""
    found = prices()["prices"][of]
    return float(found["dollars"]) / float(found["per"])


def of_compute(rpu_seconds: float) -> float:
    """Dollars of a serverless workgroup."""
    return rpu_seconds / 3600 * price("rpu_hour")


def of_load(spent: Mapping[str, Any]) -> float | None:
    """Dollars at most, without the warehouse; None if nothing was counted. spent: as usage.figures returns it."""
    if not any(name in spent for name in PRICED):
        return None
    return sum(float(spent.get(name) or 0) * price(of) for name, of in PRICED.items())
