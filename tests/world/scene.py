"""The real functions behind the real state machine, and a Redshift that answers as a test says it always does.

The functions, S3, the clock and Step Functions are those of the simulator; no SQL is run.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from local.states.interpreter import Event
from tests.world.boundary import Caller, Refused
from tests.world.executions import Execution
from tests.world.product import ROOT
from tests.world.simulator import World
from tests.world.template import Stack

# Of the files and not of the functions' code: make bench imports this where that is on no path.
VERSION = max(int(path.name[:3]) for path in (ROOT / "sql" / "migrations").glob("[0-9]*.sql"))
FIRST, LAST = "2018-11-12 00:00:00.796000", "2018-11-12 23:59:58.796000"


@dataclass
class Reply:
    """What becomes of a submitted batch of statements.

    failed   the number of the statement that failed, from 1; 0: none is named
    rows     the results by the statement's number
    seconds  how long it runs; its first ``done`` statements have ended by then
    dying    how much longer it runs when it is cancelled
    lost     the Data API does not know it any more when it is looked at
    """

    status: str = "FINISHED"
    error: str = ""
    failed: int = 0
    rows: Mapping[int, Sequence[Sequence[Any]]] = field(default_factory=dict)
    seconds: float = 0
    dying: float = 0
    done: int = 1
    lost: bool = False


@dataclass
class Submitted:
    """A batch as it was submitted: ``what`` is the second word of its name (plan, stage, publish, find, …)."""

    what: str
    name: str
    sqls: list[str]
    files: list[dict[str, Any]]  # of its manifest

    def number_of(self, verb: str) -> int:
        """The number, from 1, of the first statement that begins with this word."""
        return next(
            n for n, sql in enumerate(self.sqls, 1) if re.search(rf"^\s*{verb}\b", sql, re.M)
        )


Answer = Callable[[Submitted], Reply]


class ToldRedshift:
    """Takes the place of the warehouse of a World. ``answer`` is asked for each submit."""

    answer: Answer
    waits = True  # whether long polling waits; otherwise each look is answered at once

    def __init__(
        self,
        folder: Path,
        stack: Stack,
        isolation: Any,
        base: Path | None = None,
        admins: frozenset[str] = frozenset(),
        snapshot_at: Any = "statement",
    ) -> None:
        self.submitted: list[Submitted] = []
        self.read: Callable[[str], Any] = lambda uri: None
        self._tokens: dict[str, str] = {}
        self._known: dict[str, tuple[Submitted, Reply, float]] = {}  # ends at

    def stop(self) -> None:
        """Nothing runs."""

    def operation(self, name: str, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """An operation of the Data API."""
        handlers: dict[str, Callable[[dict[str, Any], Caller], dict[str, Any]]] = {
            "BatchExecuteStatement": self._submit,
            "DescribeStatement": self._describe,
            "GetStatementResult": self._rows,
            "CancelStatement": self._cancel,
            "ListStatements": lambda request, caller: {"Statements": []},
        }
        return handlers[name](request, caller)

    def _submit(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        token = request["ClientToken"]
        if token not in self._tokens:
            number = len(self._tokens) + 1
            key = self._tokens[token] = f"{number:08x}-0000-4000-8000-{number:012x}"
            name, sqls = request["StatementName"], request["Sqls"]
            manifest = re.search(r"^FROM '(s3://[^']+)'[\s\S]*^MANIFEST", "\n".join(sqls), re.M)
            files = self.read(manifest.group(1))["entries"] if manifest else []
            submitted = Submitted(name.split()[1], name, sqls, files)
            self.submitted.append(submitted)
            reply = self.answer(submitted)
            self._known[key] = submitted, reply, caller.clock.time() + reply.seconds
        key = self._tokens[token]
        return {"Id": key, "Status": self._status(key, request, caller)}

    def _status(self, key: str, request: dict[str, Any], caller: Caller) -> str:
        _, reply, ends = self._known[key]
        asked = request.get("WaitTimeSeconds", 0)
        if self.waits and asked:
            caller.clock.advance(min(max(ends - caller.clock.time(), 0), asked))
        return reply.status if caller.clock.time() >= ends else "STARTED"

    def _describe(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        submitted, reply, _ = self._known[request["Id"]]
        if reply.lost:
            raise Refused("ResourceNotFoundException", "Query does not exist.")
        status = self._status(request["Id"], request, caller)
        parts = []
        for number, sql in enumerate(submitted.sqls, 1):
            part: dict[str, Any] = {
                "Id": f"{request['Id']}:{number}",
                "QueryString": sql,
                "Status": status,
            }
            if status == "STARTED" and number <= reply.done:
                part["Status"] = "FINISHED"
            if status == "FAILED":
                part["Status"] = "FINISHED" if number < reply.failed else "ABORTED"
                if number == reply.failed:
                    part |= {"Status": "FAILED", "Error": reply.error, "RedshiftQueryId": 4711}
            parts.append(part)
        answer = {"Id": request["Id"], "Status": status, "SubStatements": parts}
        return answer | ({"Error": reply.error} if status == "FAILED" else {})

    def _rows(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        key, _, number = request["Id"].partition(":")
        rows = self._known[key][1].rows.get(int(number), ())
        return {
            "Records": [[_field(value) for value in row] for row in rows],
            "TotalNumRows": len(rows),
        }

    def _cancel(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        submitted, reply, ends = self._known[request["Id"]]
        if caller.clock.time() >= ends:
            raise Refused(
                "ValidationException", "Could not cancel a query that is already in FINISHED state."
            )
        reply.status = "ABORTED"
        self._known[request["Id"]] = submitted, reply, caller.clock.time() + reply.dying
        return {"Status": True}


def _field(value: Any) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    kind = {bool: "booleanValue", int: "longValue", float: "doubleValue"}.get(
        type(value), "stringValue"
    )
    return {kind: value}


# ---------------------------------------------------------------- a warehouse in which all goes well
def well(submitted: Submitted) -> Reply:
    """As a warehouse answers that knows none of the files and finds nothing wrong with any."""
    last = len(submitted.sqls)
    every = [(number, None) for number in range(2000)]
    if submitted.what == "plan":
        return Reply(rows={last: every})
    if submitted.what == "leave":
        return Reply(rows={3: every})
    if submitted.what == "version":
        return Reply(rows={1: [(VERSION,)]})
    if submitted.what == "stage":
        count = submitted.number_of("SELECT PG_LAST_COPY_COUNT")
        return Reply(rows={count: [(10**9,)], last: audit(submitted)})
    if submitted.what == "publish":
        tables = ("songplays", "users", "songs", "artists", "time")
        figures = [("rows", table, 10**9, None) for table in tables]
        return Reply(
            rows={
                last: figures
                + [("check", name, 10**9, 10**9) for name in checks("published", submitted)]
            }
        )
    return Reply()


def audit(
    submitted: Submitted, *, version: int = VERSION, bad: bool = False
) -> list[tuple[Any, ...]]:
    """The rows of the audit of a staging: its figures, the tables' version, every check of the dataset, every file."""
    rows: list[tuple[Any, ...]] = [
        ("staged", "rows", None, 10**9, None, FIRST, LAST),
        ("version", "schema_version", None, version, None, None, None),
    ]
    for number, name in enumerate(checks("staged", submitted)):
        rows.append(("check", name, "0123456789abcdef", int(bad and number == 0), 0, None, None))
    for entry in submitted.files:
        rows.append(("file", entry["url"][:256], entry["url"][-8:], 1, None, None, None))
    return rows


def checks(on: str, submitted: Submitted) -> list[str]:
    """The names of a dataset's checks."""
    dataset = "song_data" if "song_stage" in " ".join(submitted.sqls) else "log_data"
    folders = (f"sql/checks/{on}", f"sql/datasets/{dataset}/checks/{on}")
    return sorted(path.stem for folder in folders for path in (ROOT / folder).glob("*.sql"))


# ---------------------------------------------------------------- a world with it
@contextmanager
def scene(folder: Path, answer: Answer, keys: Sequence[str], **parameters: int) -> Iterator[World]:
    """A world with these objects in its bucket, each of a byte, and no warehouse but the answers."""
    with mock.patch("tests.world.simulator.Warehouse", ToldRedshift):
        world = World(folder, parameters={name: str(value) for name, value in parameters.items()})
    with world:
        redshift = told(world)
        redshift.answer = answer
        redshift.read = lambda uri: json.loads(
            world._body(*uri.removeprefix("s3://").split("/", 1))
        )
        for key in keys:
            world.upload(key, b"x", event=False)
        yield world


def told(world: World) -> ToldRedshift:
    redshift: Any = world.warehouse
    assert isinstance(redshift, ToldRedshift)
    return redshift


def history_of(execution: Execution) -> list[Event]:
    assert execution.interpreter is not None
    return execution.interpreter.history
