"""status: what happened to the files of each dataset, what to do, and what is running."""

import argparse
import importlib.metadata
import json
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from local.aws import processes, services
from local.client import executions, files, history, queries, rights, stack, versions
from local.client.clients import Clients, clients
from local.client.queues import depth
from local.commands import report
from local.datasets import datasets
from local.environment import ports
from local.problem import ASKS, FAILED, WELL
from local.show import state
from local.show.state import State
from local.show.terminal import RED, YELLOW, columns, fold, paint, visible

from loader.page.model import Page  # isort: skip - local.client.history makes it found

HELP = "show what is loaded of each dataset, what needs attention, and what is running"
EXAMPLES = (
    "loader status",
    "loader status --json",
    "loader status --stack s3-redshift-loader --profile data",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For scripts."""
    parser.add_argument("--json", action="store_true", help="all of it as JSON, for scripts")


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 if all is well, 1 if something is not running, not deployed or may not be read, 3 if files were left
    out.
    """
    told: list[str] = []
    if not arguments.stack:
        told, up = _services(services.both(ports()))
        if not up:
            return _ended(arguments, [*told, "to start it: make up"], {"up": False})
    found = clients(arguments)
    name = stack.name_of(found)
    status = stack.stack_status(found, name)
    if status not in stack.SERVING:
        said = status or f"not deployed; to deploy it: loader deploy{found.target.suffix}"
        document = {"stack": name, "status": status}
        return _ended(arguments, [f"stack {name}: {said}", *told], document)
    parts = stack.deployed(found)
    look = Look(found, parts)
    if arguments.json:
        print(json.dumps(look.as_json(str(status)), indent=2, ensure_ascii=False))
        return look.code
    look.print_files()
    print()
    print("\n".join([*look.lines(str(status)), *told, look.versions()]))
    return look.code


def _ended(arguments: argparse.Namespace, lines: list[str], document: dict[str, Any]) -> int:
    """Says that there is nothing to look at."""
    print(json.dumps(document, indent=2) if arguments.json else "\n".join(lines))
    return FAILED


class Look:
    """A look at a stack. What a right is missing for is said, and the rest is shown."""

    def __init__(self, found: Clients, parts: stack.Stack):
        self._found = found
        self._parts = parts
        self.denied: list[str] = []
        states: list[State] | None = self._try(lambda: files.states(found, parts))
        self.states = states or []
        self._running: int | None = self._try(
            lambda: len(list(executions.arns(found, parts.state_machine, "RUNNING")))
        )
        self._queue: int | None = self._try(lambda: depth(found, parts.queue_url))
        self._dead: int | None = self._try(lambda: depth(found, parts.dead_letter_url))
        self._loads: Page | None = self._try(
            lambda: history.page(found, parts, datetime.now(UTC), computed=False)
        )

    def _try(self, look: Callable[[], Any]) -> Any:
        """What it returns; None if a right is missing for it, which is noted."""
        try:
            return look()
        except rights.Denied as error:
            right = error.right
        except ClientError as error:
            found = rights.missing(error)
            if found is None:
                raise
            right = found
        if right.text not in self.denied:
            self.denied.append(right.text)
        return None

    @property
    def code(self) -> int:
        if self.denied or any(each.denied for each in self.states):
            return FAILED
        return ASKS if any(each.asks for each in self.states) else WELL

    def print_files(self) -> None:
        """A line for each dataset, in color if it asks for something."""
        room = columns(sys.stdout) if sys.stdout.isatty() else None
        marks = {
            each.dataset.name: RED
            if any(each.counts.get(kind) for kind in ("rejected", "unreadable"))
            else YELLOW
            for each in self.states
            if each.to_do
        }
        for line in (
            state.lines(self.states, room, self._found.target.suffix) if self.states else []
        ):
            color = marks.get(line.partition(" ")[0].removesuffix(":"))
            shown = fold(line, room) if room else line
            print(paint(shown, color, sys.stdout) if color else shown)

    def lines(self, status: str) -> list[str]:
        """The stack, what is running, and what could not be read."""
        parts = self._parts
        running, queue, dead = (
            "unknown" if n is None else str(n) for n in (self._running, self._queue, self._dead)
        )
        return [
            *(f"NOT SHOWN: {text}" for text in self.denied),
            f"stack {parts.name}: {status}{', PAUSED' if stack.paused(self._found) else ''}",
            f"data bucket: s3://{parts.data_bucket}",
            f"state machine: {parts.state_machine}, {running} executions running",
            f"queue: {queue} messages, dead letters: {dead}",
            *self._told_by_loads(),
        ]

    def _told_by_loads(self) -> list[str]:
        """What the page of loads says first, and when the last sweep looked."""
        if self._loads is None:
            return []
        swept = self._loads.swept
        suffix = self._found.target.suffix
        return [
            f"last sweep: {f'{swept:%Y-%m-%d %H:%M} UTC' if swept else 'none yet'}",
            f"loads: {visible(report.sentence(self._loads))} The page of loads: loader report --open{suffix}",
        ]

    def as_json(self, status: str) -> dict[str, Any]:
        """For scripts; docs/commands.md has the fields."""
        parts = self._parts
        return {
            "stack": parts.name,
            "status": status,
            "paused": stack.paused(self._found),
            "data_bucket": parts.data_bucket,
            "state_machine": parts.state_machine,
            "running": self._running,
            "queue": self._queue,
            "dead_letters": self._dead,
            "loads": self._loads and report.state_as_json(self._loads),
            "datasets": [each.as_json() for each in self.states],
            "not_shown": self.denied
            + sorted({one.not_seen for one in self.states if one.not_seen}),
        }

    def versions(self) -> str:
        """Of the tables and, on a laptop, of the local AWS."""
        made = self._try(lambda: _tables(self._found)) or "tables unknown"
        if not self._found.target.local:
            return f"versions: {made}"
        named = ", ".join(
            f"{name} {importlib.metadata.version(package)}"
            for name, package in (("MiniStack", "ministack"), ("DuckDB", "duckdb"))
        )
        return f"versions: {made}, {named}, Python {platform.python_version()}"


def _tables(found: Clients) -> str:
    try:
        tables = queries.run(
            found,
            f"SELECT MAX(version) FROM {found.warehouse.schema}.schema_version",  # noqa: S608
        )
        made = f"tables {tables.rows[0][0]}"
        if old := versions.behind(found, datasets()):
            made += f" (of another contract: {', '.join(old)})"
    except queries.SqlError as error:
        if not error.nothing_there:
            raise
        made = "no tables yet: the first load creates them"
    return made


def _services(both: tuple[processes.Service, ...]) -> tuple[list[str], bool]:
    """A line for each service, and whether all are running."""
    told, up = [], True
    for service in both:
        pid = processes.running(service)
        up = up and pid is not None
        said = (
            f"up on 127.0.0.1:{processes.port_of(pid)}, process {pid}"
            if pid
            else f"not running (it starts on 127.0.0.1:{service.port})"
        )
        told.append(f"{service.name}: {said}")
    return told, up
