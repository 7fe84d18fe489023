"""Faults on purpose, for tests of whoever calls us. Off unless the server was started with them.

``POST /_local/faults`` with ``{"operation": "ExecuteStatement", "kind": "drop", ...}`` arms one;
``GET`` shows the armed ones, ``DELETE``-like ``POST {"clear": true}`` disarms all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from local.redshift.api.errors import ApiError

Kind = Literal["delay", "fail", "drop"]


class AnswerDropped(Exception):
    """The operation was done; its answer must not be sent."""


@dataclass
class Fault:
    """``times`` calls of ``operation`` ("*" for any), after ``skip`` others, go wrong by ``kind``.

    delay: ``seconds`` before it is done. fail: not done, answered with error ``code`` and HTTP
    ``status``. drop: done, and the connection closed without an answer.
    """

    operation: str
    kind: Kind
    times: int = 1
    skip: int = 0
    seconds: float = 0.0
    code: str = "InternalServerException"
    message: str = "A fault on purpose"
    status: int = 500


class Faults:
    """The armed faults; ``around`` runs an operation through them. Thread-safe."""

    def __init__(self, *, enabled: bool):
        self.enabled = enabled
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def around(self, operation: str, do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The operation's answer, unless a fault is armed for it."""
        fault = self._take(operation) if self.enabled else None
        if fault is None:
            return do()
        if fault.kind == "delay":
            time.sleep(fault.seconds)
            return do()
        if fault.kind == "fail":
            raise ApiError(fault.code, fault.message, status=fault.status)
        do()
        raise AnswerDropped

    def _take(self, operation: str) -> Fault | None:
        with self._lock:
            for fault in self._armed:
                if fault.operation not in ("*", operation):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._armed.remove(fault)
                return fault
        return None

    def command(self, request: dict[str, Any]) -> dict[str, Any]:
        """``{"clear": true}``, or the members of a Fault; answers with what is armed."""
        if not self.enabled:
            raise ValueError("faults are off: start the server with --faults")
        with self._lock:
            if request.get("clear"):
                self._armed.clear()
            elif request:
                fault = Fault(**request)
                if fault.kind not in ("delay", "fail", "drop"):
                    raise ValueError(f"kind {fault.kind!r}")
                self._armed.append(fault)
            return {"armed": [asdict(fault) for fault in self._armed]}
