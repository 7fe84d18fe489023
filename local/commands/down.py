"""down: stop the local AWS, the local Redshift and all processes that they started."""

import argparse

from local.aws import processes, services
from local.environment import ports

HELP = "stop the local AWS; its data stays in .local/"
EXAMPLES = ("loader down",)
ONLY_HERE = "it stops the local AWS. sam delete removes a deployed stack (docs/operations.md)."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Stops both in reverse order; it is no error if they are not running."""
    del arguments
    for service in reversed(services.both(ports())):
        stopped = processes.stop(service)
        processes.end_leftovers(service.folder)
        print(f"{service.name}: {'stopped' if stopped else 'was not running'}")
    return 0
