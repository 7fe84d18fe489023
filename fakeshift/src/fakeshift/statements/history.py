"""What every way to run a statement does around it: the armed fault, and its row of SYS_QUERY_HISTORY."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from fakeshift.engine.session import Session
from fakeshift.errors import RedshiftError, StatementCancelled
from fakeshift.faults import Faults
from fakeshift.sql.parameters import template_of
from fakeshift.statements.record import Status


@dataclass(frozen=True)
class Ran:
    """A statement that runs (``ended`` is None) or has ended; times are seconds since 1970.

    ``rows`` and ``bytes`` are those of its result.
    """

    sql: str
    query_id: int
    began: float
    ended: float | None = None
    status: Status = "STARTED"
    nanoseconds: int = 0
    error: str = ""
    rows: int = 0
    bytes: int = 0


def record(session: Session, ran: Ran) -> None:
    """The statement's row of SYS_QUERY_HISTORY, replaced when it has ended.

    https://docs.aws.amazon.com/redshift/latest/dg/SYS_QUERY_HISTORY.html
    """
    running = ran.ended is None
    micros = ran.nanoseconds // 1000
    opened = session.transaction.id if session.transaction else None
    session.records.replace(
        "query_history",
        ran.query_id,
        {
            "user_id": session.user_id,
            "query_id": ran.query_id,
            "query_label": "default",
            "transaction_id": opened if running else session.last_transaction_id,
            "session_id": session.pid,
            "database_name": session.database_name,
            "query_type": _query_type(ran.sql),
            "status": _STATUS[ran.status],
            "result_cache_hit": False,
            "start_time": ran.began,
            "end_time": ran.ended,
            "elapsed_time": micros,
            "queue_time": 0,
            "execution_time": micros,
            "error_message": ran.error,
            "returned_rows": ran.rows,
            "returned_bytes": ran.bytes,
            "query_text": ran.sql,
            "redshift_version": "local",
            "compute_type": "primary",
            "compile_time": 0,
            "planning_time": 0,
            "lock_wait_time": 0 if running else int(session.lock_wait * 1e6),
        },
    )


_STATUS = {"STARTED": "running", "FINISHED": "success", "FAILED": "failed", "ABORTED": "canceled"}
_AS_QUERY = re.compile(r"[^'(]*\bTABLE\b.*\bAS\s*\(*\s*(SELECT|WITH)\b", re.IGNORECASE | re.DOTALL)
_TYPES = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "UNLOAD", "ANALYZE", "VACUUM", "CREATE",
          "ALTER", "DROP", "TRUNCATE")  # fmt: skip


def _query_type(sql: str) -> str:
    """SELECT, INSERT, ..., CTAS, DDL, UTILITY: SYS_QUERY_HISTORY.query_type."""
    try:
        first = template_of(sql)[1].first.split(" ")[0]
    except RedshiftError:
        return "UTILITY"
    if first == "CREATE" and _AS_QUERY.match(sql):
        return "CTAS"
    if first in ("CREATE", "ALTER", "DROP", "TRUNCATE"):
        return "DDL"
    return {"WITH": "SELECT", "(": "SELECT"}.get(first, first if first in _TYPES else "UTILITY")


def strike(
    faults: Faults, session: Session, sql: str, query_id: int, restart: Callable[[], None]
) -> None:
    """The fault that is armed for this statement, if any; ``restart`` restarts the warehouse."""
    fault = faults.of_statement(sql)
    session.struck = frozenset({fault.kind} if fault else ())
    if fault is None or fault.kind in ("empty", "encoded"):
        return
    if fault.kind == "fail":
        session.give_up()
        raise fault.error(query_id)
    if fault.kind == "abort":
        session.give_up()
        message = fault.error(query_id).message if fault.text else fault.message
        raise StatementCancelled(message, query_id)
    if fault.kind == "restart":
        threading.Thread(target=restart, daemon=True).start()
    until = time.monotonic() + (fault.seconds or 30)
    while time.monotonic() < until:
        try:
            session.check_cancelled()
        except RedshiftError:
            session.give_up()
            raise
        time.sleep(0.01)
