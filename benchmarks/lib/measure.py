"""Seconds, medians, and figures with their bounds."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

WIDTH = 160


def seconds(work: Callable[[], Any]) -> float:
    """Wall-clock seconds of a call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def median(runs: list[float]) -> float:
    """The median."""
    return statistics.median(runs)


@dataclass(frozen=True)
class Figure:
    """``measured`` in ``unit``, which must not exceed ``bound``; ``parts`` are the components of the bound."""

    name: str
    measured: float
    bound: float
    unit: str = "s"
    parts: dict[str, float] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether it is within its bound."""
        return self.measured <= self.bound

    @property
    def document(self) -> dict[str, Any]:
        """For results/<part>.json."""
        return {
            "name": self.name,
            "measured": round(self.measured, 4),
            "bound": round(self.bound, 4),
            "unit": self.unit,
            "holds": self.holds,
            "parts": {name: round(value, 4) for name, value in self.parts.items()},
        }

    def __str__(self) -> str:
        verdict = "ok  " if self.holds else "OVER"
        parts = ", ".join(f"{name} {value:.2f}" for name, value in self.parts.items())
        return (
            f"{verdict} {self.name}: {self.measured:.2f} {self.unit}, bound {self.bound:.2f}"
            f" {self.unit} ({self.measured / self.bound:.0%} of it){': ' + parts if parts else ''}"
        )


def written(document: Any, indent: str = "") -> str:
    """The document as JSON, with each object or list on one line if it fits."""
    line = json.dumps(document)
    if len(indent + line) <= WIDTH or not isinstance(document, (dict, list)):
        return line
    inner = indent + "  "
    if isinstance(document, dict):
        parts = [f"{json.dumps(name)}: {written(part, inner)}" for name, part in document.items()]
    else:
        parts = [written(part, inner) for part in document]
    opening, closing = "{}" if isinstance(document, dict) else "[]"
    return f"{opening}\n" + ",\n".join(inner + part for part in parts) + f"\n{indent}{closing}"
