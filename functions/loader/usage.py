"""What a load uses of AWS outside the warehouse: counted in each call of a step, kept in the state, then summed."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loader.state import Usage


SERVICES = {"redshift-data": "data_api", "s3": "s3"}
# A step's Task is followed by a Choice, but for these (statemachine/load.asl.json).
WITHOUT_CHOICE = ("migrate",)
MEMORY = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"))  # MB


_requests: Counter[str] = Counter()  # of the call that runs
_begun = [0.0]


def start_call() -> None:
    """Starts the count for a call of a function; an environment runs one call at a time."""
    _requests.clear()
    _begun[0] = time.perf_counter()


def count(client: Any) -> Any:
    """Counts the client's requests from now on, each attempt; returns the client."""
    client.meta.events.register("before-send", _note)
    return client


def _note(event_name: str, **_: Any) -> None:
    """before-send.<service>.<operation>"""
    _requests[SERVICES.get(event_name.split(".")[1], "other")] += 1


def add_call(step: str, before: Any) -> Usage:
    """What was used before this call and in it. ``before`` comes from the state and may be anything."""
    milliseconds = (time.perf_counter() - _begun[0]) * 1000
    this: Usage = {
        "calls": {step: 1},
        "data_api": _requests["data_api"],
        "s3": _requests["s3"],
        "gb_ms": round(milliseconds * MEMORY / 1024, 3),
    }
    return total([before, this])


def total(parts: Iterable[Any]) -> Usage:
    """The sum of usages; anything of another form is ignored."""
    calls: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    for part in parts:
        if not isinstance(part, dict):
            continue
        of_steps = part.get("calls")
        if isinstance(of_steps, dict):
            calls.update({str(k): v for k, v in of_steps.items() if isinstance(v, int)})
        for name in ("data_api", "s3", "gb_ms"):
            value = part.get(name)
            if isinstance(value, int | float):
                numbers[name] += value  # type: ignore[assignment]
    return {
        "calls": dict(calls),
        "data_api": numbers["data_api"],
        "s3": numbers["s3"],
        "gb_ms": round(numbers["gb_ms"], 3),
    }


def figures(spent: Usage, batches: int, *, failed: bool, rest_started: bool) -> dict[str, float]:
    """The figures of a load at its end, for the report and the ledger.

    transitions   states entered, as Step Functions bills them, without its own retries
    function_calls, data_api_calls, s3_requests, gb_seconds
    """
    steps = {step: n for step, n in spent["calls"].items() if step != "finish"}
    of_steps = sum(n * (1 if step in WITHOUT_CHOICE else 2) for step, n in steps.items())
    # The Map, its Choice, and the Pass that ends each batch.
    of_batches = 2 + batches if batches else 0
    at_the_end = 1 + int(failed) + 2 * int(rest_started)
    return {
        "transitions": of_steps + of_batches + at_the_end,
        "function_calls": sum(spent["calls"].values()),
        "data_api_calls": spent["data_api"],
        "s3_requests": spent["s3"],
        "gb_seconds": round(spent["gb_ms"] / 1000, 6),
    }
