"""status: what happened to the files of each dataset, what to do, and what is running."""

import argparse
import importlib.metadata
import platform
import sys

from local.aws import processes, services
from local.client import executions, files, queries, stack, versions
from local.client.clients import Clients, clients
from local.client.queues import depth
from local.datasets import datasets
from local.environment import SCHEMA, ports
from local.problem import ASKS, FAILED, WELL
from local.show import state
from local.show.terminal import RED, YELLOW, columns, fold, paint

HELP = "show what is loaded of each dataset, what needs attention, and what is running"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 if all is well, 1 if not everything is running and deployed, 3 if files were left out."""
    del arguments
    at = ports()
    told, up = _services(services.both(at))
    if not up:
        print("\n".join([*told, "to start it: make up"]))
        return FAILED
    found = clients(at)
    name = stack.stack_name()
    status = stack.stack_status(found, name)
    if status not in stack.USABLE:
        said = status or "not deployed; to deploy it: .venv/bin/python -m local deploy"
        print("\n".join([f"stack {name}: {said}", *told]))
        return FAILED
    parts = stack.deployed(found)
    code = _files(found, parts)
    print()
    print("\n".join([*_stack(found, parts, str(status)), *told, _versions(found)]))
    return code


def _files(found: Clients, parts: stack.Stack) -> int:
    states = files.states(found, parts)
    room = columns(sys.stdout) if sys.stdout.isatty() else None
    marks = {
        each.dataset.name: RED
        if any(each.counts.get(kind) for kind in ("rejected", "unreadable"))
        else YELLOW
        for each in states
        if each.to_do
    }
    for line in state.lines(states, room):
        color = marks.get(line.partition(" ")[0].removesuffix(":"))
        shown = fold(line, room) if room else line
        print(paint(shown, color, sys.stdout) if color else shown)
    return ASKS if any(each.asks for each in states) else WELL


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


def _stack(found: Clients, parts: stack.Stack, status: str) -> list[str]:
    running = len(list(executions.arns(found, parts.state_machine, "RUNNING")))
    return [
        f"stack {parts.name}: {status}",
        f"data bucket: s3://{parts.data_bucket}",
        f"state machine: {parts.state_machine}, {running} executions running",
        (
            f"queue: {depth(found, parts.queue_url)} messages,"
            f" dead letters: {depth(found, parts.dead_letter_url)}"
        ),
    ]


def _versions(found: Clients) -> str:
    try:
        tables = queries.run(found, f"SELECT MAX(version) FROM {SCHEMA}.schema_version")  # noqa: S608
        made = f"tables {tables.rows[0][0]}"
        if old := versions.behind(found, datasets()):
            made += f" (of another contract: {', '.join(old)})"
    except queries.SqlError:
        made = "no tables yet: the first load creates them"
    named = ", ".join(
        f"{name} {importlib.metadata.version(package)}"
        for name, package in (("MiniStack", "ministack"), ("DuckDB", "duckdb"))
    )
    return f"versions: {made}, {named}, Python {platform.python_version()}"
