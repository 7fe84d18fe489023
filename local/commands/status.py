"""status: what runs, what is deployed, what waits."""

import argparse

from local import executions, processes, services, stack
from local.clients import Clients, clients
from local.environment import ports
from local.queues import depth

HELP = "what runs, what is deployed, what waits"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 if all of it is up and deployed, else 1."""
    del arguments
    at = ports()
    up = True
    for service in services.both(at):
        pid = processes.running(service)
        up = up and pid is not None
        state = f"up on 127.0.0.1:{processes.port_of(pid)}, process {pid}" if pid else "not running"
        print(f"{service.name}: {state}")
    if not up:
        print("start it: make up")
        return 1
    return _deployed(clients(at))


def _deployed(found: Clients) -> int:
    name = stack.stack_name()
    status = stack.stack_status(found, name)
    print(f"stack {name}: {status or 'not deployed; deploy it: .venv/bin/python -m local deploy'}")
    if status not in stack.USABLE:
        return 1
    parts = stack.deployed(found)
    running = len(list(executions.arns(found, parts.state_machine, "RUNNING")))
    print(f"data bucket: s3://{parts.data_bucket}")
    print(f"state machine: {parts.state_machine}, {running} executions running")
    print(
        f"queue: {depth(found, parts.queue_url)} messages,"
        f" dead letters: {depth(found, parts.dead_letter_url)}"
    )
    return 0
