"""Injected faults, for tests of clients. Off unless the server was started with ``--faults``.

``POST /_local/faults`` with the members of a Fault arms one, ``{"clear": true}`` disarms all, ``GET``
shows what is armed. ``POST /_local/restart`` restarts the warehouse at once.

    {"operation": "ExecuteStatement", "kind": "drop"}           the next one is done but not answered
    {"operation": "*", "kind": "fail", "skip": 3, "code": "ThrottlingException", "status": 400}
    {"operation": "*", "kind": "paused", "times": 0}            no statement is accepted until cleared
    {"sql": "INSERT INTO [a-z.]*songplays", "kind": "restart"}     the warehouse restarts while it runs
    {"sql": "COPY", "kind": "abort"}                         an administrator cancels the next COPY
    {"sql": "COPY", "kind": "fail", "text": "slow_down"}     S3 throttles the next COPY
    {"sql": "sys_load_detail", "kind": "empty", "times": 3}  three reads of the view find no rows yet
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from fakeshift.errors import RedshiftError, compute_error
from fakeshift.refusals import ApiError, validation

Kind = Literal["delay", "fail", "drop", "paused", "restart", "abort", "empty", "encoded"]
_OF_OPERATIONS = ("delay", "fail", "drop", "paused")
_OF_STATEMENTS = ("delay", "fail", "restart", "abort", "empty", "encoded")
_SUBMITTING = ("ExecuteStatement", "BatchExecuteStatement")


_THROTTLED = "Please reduce your request rate.,Status 503,Error SlowDown"
TEXTS: dict[str, tuple[str, int, str, str]] = {
    "cancelled": (
        "Query ({query}) cancelled on user's request", 0, "",
        "https://github.com/awslabs/amazon-redshift-utils/issues/174",
    ),
    "wlm_abort": (
        'Query ({query}) cancelled by WLM abort action of Query Monitoring Rule "rule".', 0, "",
        "https://docs.aws.amazon.com/redshift/latest/dg/cm-c-wlm-query-monitoring-rules.html",
    ),
    "system_abort": (
        "abort query", 1020, "system requested abort",
        "https://github.com/awslabs/aws-lambda-redshift-loader/issues/197",
    ),
    "slow_down": (
        f"S3ServiceException:{_THROTTLED},Rid local,CanRetry 1", 8001, "Listing bucket=b prefix=p",
        "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
    ),
    "retries_exceeded": (
        "S3Query Exception", 15005, "Connection failed, retries exceeded",
        "https://github.com/harrystech/arthur-redshift-etl/issues/134",
    ),
    "table_dropped": (
        "table {table} dropped by concurrent transaction", 0, "",
        "https://github.com/dbt-labs/dbt-core/pull/825",
    ),
    "no_relation_with_oid": (
        "could not open relation with OID {table}", 0, "",
        "https://github.com/dbt-labs/dbt-redshift/issues/766",
    ),
    "connection_limit": (
        'connection limit "500" exceeded for non-bootstrap users', 0, "",
        "https://github.com/awslabs/aws-lambda-redshift-loader/issues/197",
    ),
    "conflict": (
        "could not complete because of conflict with concurrent transaction", 0, "",
        "https://github.com/aws/amazon-redshift-jdbc-driver/issues/147",
    ),
}  # fmt: skip
"""By name: the message, the code and context of the detail block (0 for none), and where it was seen.

``{query}`` and ``{table}`` are ids. ``wlm_abort`` and ``slow_down`` are not quoted in any thread: they
are put together from the terms of the documentation.
"""


class AnswerDropped(Exception):
    """The operation was done; its answer must not be sent."""


@dataclass
class Fault:
    """After ``skip`` calls, ``times`` calls (0: all until it is cleared) fail as ``kind`` says.

    For an ``operation`` ("*" for any):

    - delay: it is done after ``seconds``.
    - fail: not done, answered with error ``code``, ``message`` and HTTP ``status``.
    - drop: done, then the connection is closed without an answer.
    - paused: not done, answered as for a cluster that is paused, or a workgroup that is being
      modified: ValidationException, ``Redshift endpoint is not available.`` (not documented; seen on
      a paused cluster by the tests of awslabs/mcp's Redshift server, on a workgroup by others). It
      only affects submitting: running statements continue, finished ones can be described. A real
      pause ends what runs, so a test may restart first.

    ``text`` names one of ``TEXTS`` instead of ``message``: errors that interrupt statements on AWS.

    For an SQL statement that matches ``sql`` (a regular expression, any case):

    - delay: it runs after ``seconds``.
    - fail: it fails with ``message``: its status is FAILED.
    - abort: an administrator or a rule of the workload management cancels it:
      its status is ABORTED. Error "Query (<id>) cancelled on user's request", or ``message``.
    - empty: it finds no rows in SYS_LOAD_DETAIL; AWS documents no lag, but one was seen.
    - encoded: it finds URL-encoded keys in SYS_LOAD_DETAIL, ``=`` as ``%3D``.
    - restart: the warehouse restarts: running statements are FAILED, sessions are gone.
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
    text: str = ""

    def __post_init__(self) -> None:
        for name, kind in (("times", int), ("skip", int), ("seconds", (int, float)),
                           ("status", int)):  # fmt: skip
            if not isinstance(getattr(self, name), kind):
                raise ValueError(f"{name} must be a number")
        allowed = _OF_STATEMENTS if self.sql else _OF_OPERATIONS
        if bool(self.sql) == bool(self.operation) or self.kind not in allowed:
            raise ValueError(
                "a fault needs either operation or sql, and a kind that is valid for it"
            )
        if self.kind == "paused" and self.operation not in ("*", *_SUBMITTING):
            raise ValueError(f"operation must be {', '.join(_SUBMITTING)} or * for paused")
        of_text = self.sql and self.kind in ("fail", "abort") and self.text in TEXTS
        if self.text and not of_text:
            raise ValueError(
                f"text is only for fail and abort of a statement, and must be one of {', '.join(sorted(TEXTS))}"
            )
        re.compile(self.sql)

    def of_operation(self, name: str) -> bool:
        """Whether it applies to this operation."""
        return self.operation in ("*", name) and (self.kind != "paused" or name in _SUBMITTING)

    @property
    def shown(self) -> str:
        """The message, or the default one."""
        return self.message or "An injected fault"

    def error(self, query_id: int, table_id: int = 6134794) -> RedshiftError:
        """The error of a statement."""
        if not self.text:
            return RedshiftError(self.shown)
        message, code, context, _ = TEXTS[self.text]
        numbers = {"query": query_id, "table": table_id}
        if code:
            return compute_error(message.format(**numbers), code, context.format(**numbers))
        return RedshiftError(message.format(**numbers))


class Faults:
    """The armed faults; ``around`` runs an operation through them. Thread-safe."""

    def __init__(self, *, enabled: bool):
        self.enabled = enabled
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def around(self, operation: str, do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Runs the operation unless an armed fault prevents it."""
        fault = self._take(lambda armed: armed.of_operation(operation))
        if fault is None:
            return do()
        if fault.kind == "delay":
            time.sleep(fault.seconds)
            return do()
        if fault.kind == "fail":
            raise ApiError(fault.code, fault.shown, status=fault.status)
        if fault.kind == "paused":
            raise validation("Redshift endpoint is not available.")
        do()
        raise AnswerDropped

    def of_statement(self, sql: str) -> Fault | None:
        """Takes the fault that is armed for an SQL statement."""
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
        """``{"clear": true}``, or the members of a Fault; returns the armed faults."""
        if not self.enabled:
            raise ValueError("faults are off: start the server with --faults")
        with self._lock:
            if request.get("clear"):
                self._armed.clear()
            elif request:
                self._armed.append(Fault(**request))
            return {"armed": [asdict(fault) for fault in self._armed]}
