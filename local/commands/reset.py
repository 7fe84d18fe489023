"""reset: an empty bucket and an empty warehouse."""

import argparse

from local import executions, objects, queries, queues, stack
from local.clients import Clients, clients
from local.commands.start import execute
from local.environment import ports
from local.problem import Problem

HELP = "empty the bucket and the warehouse"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Empties both."""
    del arguments
    found = clients(ports())
    reset(found, stack.deployed(found))
    return 0


def reset(found: Clients, parts: stack.Stack) -> None:
    """Stops what runs, empties queues and buckets, and lets the product drop its schema."""
    if stopped := executions.stop_all(found, parts.state_machine, "python -m local reset"):
        print(f"stopped {stopped} running executions")
    queries.cancel_running(found)
    for url in (parts.queue_url, parts.dead_letter_url):
        queues.purge(found, url)
    deleted = sum(objects.empty(found, b) for b in (parts.data_bucket, parts.work_bucket))
    report = execute(found, parts, '{"reset": true}')
    if report.failed:
        raise Problem(f"The warehouse was not reset: {report.cause}")
    print(f"reset: {deleted:,} objects deleted, the warehouse is empty")
