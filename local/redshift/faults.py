"""Faults on purpose, for tests of whoever calls us. Off unless the server was started with them.

``POST /_local/faults`` with the members of a Fault arms one, ``{"clear": true}`` disarms all, ``GET``
shows what is armed. ``POST /_local/restart`` restarts the warehouse at once.

    {"operation": "ExecuteStatement", "kind": "drop"}           the next one is done, not answered
    {"operation": "*", "kind": "fail", "skip": 3, "code": "ThrottlingException", "status": 400}
    {"operation": "*", "kind": "paused", "times": 0}            no statement is taken, until cleared
    {"sql": "INSERT INTO [a-z.]*songplays", "kind": "restart"}     the warehouse restarts in its middle
    {"sql": "COPY", "kind": "abort"}                         an administrator cancels the next COPY
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from local.redshift.api.errors import ApiError, validation

Kind = Literal["delay", "fail", "drop", "paused", "restart", "abort"]
_OF_OPERATIONS = ("delay", "fail", "drop", "paused")
_OF_STATEMENTS = ("delay", "fail", "restart", "abort")
_SUBMITTING = ("ExecuteStatement", "BatchExecuteStatement")


class AnswerDropped(Exception):
    """The operation was done; its answer must not be sent."""


@dataclass
class Fault:
    """``times`` calls (0: all until it is cleared), after ``skip`` others, go wrong by ``kind``.

    Of an ``operation`` ("*" for any).

    - delay: ``seconds`` before it is done.
    - fail: not done, answered with error ``code``, ``message`` and HTTP ``status``.
    - drop: done, and the connection closed without an answer.
    - paused: not done, answered as for a cluster that is paused, or a workgroup that is being
      modified: ValidationException, ``Redshift endpoint is not available.`` (not documented; seen on
      a paused cluster by the tests of awslabs/mcp's Redshift server, on a workgroup by others). Only
      submitting is: what runs goes on, what has ended is answered for. Pausing ends what runs, so a
      test may restart first.

    Of an SQL statement that the pattern ``sql`` finds (a regular expression, any case).

    - delay: ``seconds`` before it runs.
    - fail: it fails with ``message``: its status is FAILED.
    - abort: it is cancelled by somebody else, an administrator or a rule of the workload management:
      its status is ABORTED. Error "Query (<id>) cancelled on user's request", or ``message``.
    - restart: the warehouse restarts: everything that runs FAILED, sessions are gone.
    """

    kind: Kind
    operation: str = ""
    sql: str = ""
    times: int = 1
    skip: int = 0
    seconds: float = 0.0
    code: str = "InternalServerException"
    message: str = ""
    status: int = 500

    def __post_init__(self) -> None:
        for name, kind in (("times", int), ("skip", int), ("seconds", (int, float)),
                           ("status", int)):  # fmt: skip
            if not isinstance(getattr(self, name), kind):
                raise ValueError(f"{name} is a number")
        allowed = _OF_STATEMENTS if self.sql else _OF_OPERATIONS
        if bool(self.sql) == bool(self.operation) or self.kind not in allowed:
            raise ValueError("a fault has an operation or sql, and a kind that goes with it")
        if self.kind == "paused" and self.operation not in ("*", *_SUBMITTING):
            raise ValueError(f"paused is for {' and '.join(_SUBMITTING)}, or *")
        re.compile(self.sql)

    def of_operation(self, name: str) -> bool:
        """Whether it is one of this operation's."""
        return self.operation in ("*", name) and (self.kind != "paused" or name in _SUBMITTING)

    @property
    def text(self) -> str:
        """The message, which does not have to be given."""
        return self.message or "A fault on purpose"


class Faults:
    """The armed faults; ``around`` runs an operation through them. Thread-safe."""

    def __init__(self, *, enabled: bool):
        self.enabled = enabled
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def around(self, operation: str, do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The operation's answer, unless a fault is armed for it."""
        fault = self._take(lambda armed: armed.of_operation(operation))
        if fault is None:
            return do()
        if fault.kind == "delay":
            time.sleep(fault.seconds)
            return do()
        if fault.kind == "fail":
            raise ApiError(fault.code, fault.text, status=fault.status)
        if fault.kind == "paused":
            raise validation("Redshift endpoint is not available.")
        do()
        raise AnswerDropped

    def of_statement(self, sql: str) -> Fault | None:
        """The fault that is armed for an SQL statement, taken."""
        return self._take(
            lambda armed: bool(armed.sql) and re.search(armed.sql, sql, re.IGNORECASE) is not None
        )

    def _take(self, fits: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for fault in self._armed:
                if not fits(fault):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times == 1:
                    self._armed.remove(fault)
                fault.times = max(fault.times - 1, 0)
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
                self._armed.append(Fault(**request))
            return {"armed": [asdict(fault) for fault in self._armed]}
