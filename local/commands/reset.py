"""reset: an empty bucket and an empty warehouse."""

import argparse

from local.client import executions, objects, queries, queues, stack
from local.client.clients import Clients, clients
from local.commands.start import execute
from local.problem import Problem

HELP = "empty the bucket and the warehouse"
EXAMPLES = ("loader reset",)
ONLY_HERE = (
    "it also empties the bucket. To empty only the tables of a stack with AllowReset=true: loader start "
    "'{\"reset\": true}' --stack NAME"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Empties both, the bucket last."""
    found = clients(arguments)
    reset(found, stack.deployed(found))
    return 0


def reset(found: Clients, parts: stack.Stack) -> None:
    """Stops what is running, lets the loader drop its tables, and empties the buckets last: if the warehouse refuses
    the reset, nothing is deleted.
    """
    quiet(found, parts)
    drop_tables(found, parts)
    deleted = sum(objects.empty(found, b) for b in (parts.data_bucket, parts.work_bucket))
    # The files that a sweep has loaded in the meantime no longer exist.
    if quiet(found, parts) or any_loaded(found):
        drop_tables(found, parts)
    print(f"reset: {deleted:,} objects deleted, the warehouse is empty")


def quiet(found: Clients, parts: stack.Stack) -> int:
    """Stops executions and statements, empties the queues; returns how many executions there were."""
    if stopped := executions.stop_all(found, parts.state_machine, "loader reset"):
        print(f"stopped {stopped} running executions")
    queries.cancel_running(found)
    for url in (parts.queue_url, parts.dead_letter_url):
        queues.purge(found, url)
    return stopped


def drop_tables(found: Clients, parts: stack.Stack) -> None:
    """Raises Problem if the loader did not."""
    report = execute(found, parts, '{"reset": true}')
    if report.failed:
        raise Problem(f"The warehouse was not reset, and no object was deleted: {report.cause}")


def any_loaded(found: Clients) -> bool:
    return bool(queries.run(found, "SELECT load_id FROM loads LIMIT 1").rows)
