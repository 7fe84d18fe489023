"""show: the report of an execution; a running one is followed to its end."""

import argparse

from botocore.exceptions import ClientError

from local.client import executions, stack
from local.client.clients import Clients, clients
from local.commands.start import told
from local.environment import ports
from local.problem import Problem
from local.show.report import exit_code

HELP = "print the report of an execution: the newest, or the one with an ARN or name"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which execution."""
    parser.add_argument(
        "execution",
        nargs="?",
        metavar="EXECUTION",
        help="its ARN, its name, or its load id (default: the newest execution)",
    )


def run(arguments: argparse.Namespace) -> int:
    """The same exit code as start: 1 if it failed, 3 if it left files out."""
    found = clients(ports())
    parts = stack.deployed(found)
    arn = _arn(found, parts.state_machine, arguments.execution)
    report = executions.follow(found, arn, executions.title(arn))
    told(report)
    return exit_code([report])


def _arn(found: Clients, machine: str, wanted: str | None) -> str:
    """The execution's ARN; raises Problem if there is none."""
    if wanted is None:
        newest = next(executions.arns(found, machine), None)
        if newest is None:
            raise Problem("No execution has been started yet.")
        return newest
    arn = wanted if wanted.startswith("arn:") else executions.arn_of(machine, wanted)
    try:
        executions.describe(found, arn)
    except ClientError:
        loaded = executions.of_load(found, machine, wanted)
        if loaded is None:
            raise Problem(
                f"There is no execution named {wanted}, and no load with that id."
            ) from None
        return loaded
    return arn
