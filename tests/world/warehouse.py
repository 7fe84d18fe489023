"""The local Redshift in this process: a fresh copy of a warehouse for each world, faults of single SQL statements, and
what a test asks of it.
"""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from fakeshift import (
    ApiError,
    Fault,
    Faults,
    Isolation,
    LocalRedshift,
    ObjectStores,
    Principal,
    Settings,
    SnapshotAt,
    Statement,
)
from tests.world import oracle
from tests.world.boundary import Caller, Refused
from tests.world.template import Stack

SQL_KINDS = {
    "fails": "the statement fails with an error that no retry is known for",
    "conflicts": "the statement meets another transaction: error 1023",
    "aborts": "the statement is cancelled by somebody else, an administrator or a rule of the workload management",
    "cancelled": "the same, but its status says that it failed, and only its error that it was cancelled",
    "restarts": "the warehouse restarts in the middle of the statement",
    "hangs": "the statement does not end until it is cancelled",
}
_MESSAGES = {
    # An internal error of a compute node, as in many reports; no retry of the product knows it.
    "fails": "Assert",
    # github.com/awslabs/amazon-redshift-utils/issues/174
    "cancelled": "Query (4777555) cancelled on user's request",
    # dg/c_serial_isolation-serializable-isolation-troubleshooting.html
    "conflicts": "1023 Serializable isolation violation on table in Redshift",
}
_WAIT = 30  # seconds of real time that a query of a test may take


@dataclass(frozen=True)
class Ran:
    """An SQL statement that the product ran: its place among all, and its first words, for names of tests."""

    number: int
    sql: str

    @property
    def what(self) -> str:
        """``7-COPY-files``: number, verb and the table that it is about."""
        words = re.sub(r"[a-z]+\.", "", self.sql).split()
        verb = words[0].upper()
        for before in ("FROM", "INTO", "UPDATE", "TABLE", "VIEW", "EXISTS", "COPY", "LOCK"):
            for place, word in enumerate(words[:-1]):
                if word == before and re.match(r"[a-z_]", words[place + 1]):
                    table = re.sub(r"_\d{8}_\d{6}\w*|\W.*", "", words[place + 1])
                    return f"{self.number}-{verb}-{table}"
        return f"{self.number}-{verb}"


class SqlFaults(Faults):
    """Every SQL statement in the order in which they ran; the n-th (from 1) can be made to go wrong."""

    def __init__(self) -> None:
        super().__init__(enabled=True)
        self.ran: list[Ran] = []
        self.armed: dict[int, str] = {}
        self.struck = False
        self.hanging = False  # a statement runs that will not end by itself
        self._numbers = threading.Lock()

    def of_statement(self, sql: str) -> Fault | None:
        """Called in the statement's own thread, before it runs."""
        with self._numbers:
            self.ran.append(Ran(len(self.ran) + 1, sql))
            number = len(self.ran)
        kind = self.armed.pop(number, "")
        if not kind:
            return None
        self.struck = True
        if kind == "restarts":
            return Fault("restart", sql=".")
        if kind == "hangs":
            self.hanging = True
            return Fault("delay", sql=".", seconds=_WAIT)
        if kind == "aborts":
            return Fault("abort", sql=".")
        return Fault("fail", sql=".", message=_MESSAGES[kind])


class Warehouse:
    """A local Redshift whose data is a copy of ``base`` (empty without it)."""

    def __init__(
        self,
        folder: Path,
        stack: Stack,
        isolation: Isolation,
        base: Path | None = None,
        admins: frozenset[str] = frozenset(),
        snapshot_at: SnapshotAt = "statement",
    ) -> None:
        self._stack = stack
        self._schema = stack.parameter("SchemaName")
        if base:
            shutil.copytree(base, folder)
        self.now: Callable[[], float] = time.time  # by which the Data API keeps statements
        self.faults = SqlFaults()
        settings = Settings(
            data=folder,
            port=0,
            faults=True,
            isolation=isolation,
            threads=1,
            admins=admins,
            snapshot_at=snapshot_at,
            clock=lambda: self.now(),
        )
        # COPY's clients are created once: that takes longer than all that they do in a world.
        self.local = LocalRedshift(
            settings, faults=self.faults, object_stores=_object_stores(settings.region)
        )
        self.slow = False  # no statement has ended when its submission is answered
        self._tester = Principal("tester", "tester", superuser=True)

    def stop(self) -> None:
        self.local.stop()

    def operation(self, name: str, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """An operation of the Data API by the role of a caller.

        A long poll waits for the statement in real time, and on the world's clock as long as was asked for if it has
        not ended. Nobody really waits for a statement that hangs.
        """
        user = f"IAMR:{self._stack.role_name(caller.role)}"
        principal = Principal(user, user, superuser=False)
        if name == "CancelStatement":
            self.faults.hanging = False
        asked = request.pop("WaitTimeSeconds", 0)
        try:
            answer = self._call(name, request, principal)
            if not asked:
                return answer
            statement = self.local.statement(answer["Id"])
            assert statement is not None
            submits = name.endswith("ExecuteStatement")
            if not (submits and self.slow):
                self._wait(statement, asked)
            if not statement.over:
                caller.clock.advance(asked)
            if submits:
                return {**answer, "Status": statement.status, "HasResultSet": statement.has_result}
            return self._call(name, request, principal)
        except ApiError as error:
            raise Refused(error.code, error.message, error.status) from error

    def _wait(self, statement: Statement, seconds: float) -> None:
        """Until the statement has ended, or hangs; at most ``seconds`` of real time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.faults.hanging:
            if statement.wait(0.05):
                return

    def _call(self, name: str, request: dict[str, Any], principal: Principal) -> dict[str, Any]:
        return self.local.call(name, request, principal)

    # -- what a test asks --------------------------------------------------------------------

    def query(self, *statements: str, user: str = "") -> list[list[tuple[Any, ...]]]:
        """The rows of each of these queries, read in one transaction; as ``execute`` does it."""
        told, who = self.execute(*statements, user=user), self._principal(user)
        return [self._rows(f"{told}:{n}", who) for n in range(1, len(statements) + 1)]

    def execute(self, *statements: str, user: str = "") -> str:
        """Runs statements in one transaction, as a database user or as one who may do all; the statement's id.

        AssertionError if one fails.
        """
        ran = len(self.faults.ran)
        who = self._principal(user)
        told = self._call(
            "BatchExecuteStatement",
            {
                "Sqls": list(statements),
                "Database": "dev",
                "WorkgroupName": self._stack.parameter("WorkgroupName"),
                "WaitTimeSeconds": _WAIT,
            },
            who,
        )
        del self.faults.ran[ran:]
        if told["Status"] != "FINISHED":
            raise AssertionError(self._call("DescribeStatement", {"Id": told["Id"]}, who))
        return str(told["Id"])

    def _principal(self, user: str) -> Principal:
        return Principal(user, user, superuser=False) if user else self._tester

    def _rows(self, part: str, who: Principal) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        request = {"Id": part}
        while True:
            page = self._call("GetStatementResult", request, who)
            rows += [tuple(_value(field) for field in record) for record in page["Records"]]
            if "NextToken" not in page:
                return rows
            request["NextToken"] = page["NextToken"]

    def star(self) -> oracle.Tables:
        """Every table of the star schema, with the oracle's columns."""
        found = self.query(
            *(
                f"SELECT {', '.join(columns)} FROM {self._schema}.{table}"
                for table, columns in oracle.COLUMNS.items()
            )
        )
        return {
            table: _with_times(columns, rows)
            for (table, columns), rows in zip(oracle.COLUMNS.items(), found, strict=True)
        }

    def ledger(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """(key, etag, status, load id) of file_status, and of every row of files."""
        columns = "key, etag, status, load_id"
        current, every = self.query(
            f"SELECT {columns} FROM {self._schema}.file_status",
            f"SELECT {columns} FROM {self._schema}.files",
        )
        return current, every

    def tables(self) -> set[str]:
        """The tables of the star schema's and of the loader's schema."""
        schemas = f"('{self._schema}', '{self._schema}_loader')"
        (rows,) = self.query(f"SELECT table_name FROM svv_tables WHERE table_schema IN {schemas}")
        return {str(name) for (name,) in rows}

    def running(self) -> int:
        """How many statements have not ended."""
        return self.local.active()

    def rest(self) -> None:
        """Waits until no statement runs that will end by itself."""
        until = time.monotonic() + _WAIT
        while self.running() and not self.faults.hanging and time.monotonic() < until:
            time.sleep(0.005)


@cache
def _object_stores(region: str) -> ObjectStores:
    return ObjectStores(Settings(data=Path(), region=region))


def _value(field: Mapping[str, Any]) -> Any:
    return None if field.get("isNull") else next(iter(field.values()))


def _with_times(columns: Sequence[str], rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    if "start_time" not in columns:
        return rows
    at = columns.index("start_time")
    return [(*row[:at], datetime.fromisoformat(row[at]), *row[at + 1 :]) for row in rows]
