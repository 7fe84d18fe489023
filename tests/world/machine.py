"""What the figures were measured on, and how busy it was with other work meanwhile."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from pathlib import Path
from typing import Any


def description() -> dict[str, Any]:
    """Processor, memory, system, Python and what matters of its libraries."""
    import boto3
    import duckdb

    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor(),
        "cpus": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "boto3": boto3.__version__,
    }


class Watch:
    """When a part ran, and what the machine's load was: the average number of processes that wanted a processor."""

    def __init__(self) -> None:
        self._began = time.time()
        self._before = os.getloadavg()[0]

    @property
    def document(self) -> dict[str, Any]:
        """For the results."""
        return {
            "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._began)),
            "seconds": round(time.time() - self._began, 1),
            "load_average_before": round(self._before, 2),
            "load_average_after": round(os.getloadavg()[0], 2),
        }


def peak_memory(pid: int | str = "self") -> int:
    """The most bytes that a process has had resident. (getrusage's figure has the parent's in it.)"""
    return int(_first(f"/proc/{pid}/status", "VmHWM").split()[0]) * 1024


def started_by(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    found: list[int] = []
    level = [pid]
    while level := [child for child, parent in parents.items() if parent in level]:
        found += level
    return found


def family_memory(pid: int) -> int:
    """Bytes that a process has resident now, with all that it started. What some share is counted once."""
    found = 0
    for each in (pid, *started_by(pid)):
        with contextlib.suppress(OSError, ValueError):
            pages = Path(f"/proc/{each}/smaps_rollup").read_text(encoding="utf-8")
            found += next(int(line.split()[1]) for line in pages.splitlines() if "Pss:" in line)
    return found * 1024


def _first(path: str, name: str) -> str:
    """The value of the first line ``name: value`` of a file; '' if there is none."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
