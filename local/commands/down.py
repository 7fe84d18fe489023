"""down: stop the local AWS and the local Redshift, and all that they started."""

import argparse

from local.aws import processes, services
from local.environment import ports

HELP = "stop the local AWS; what it stores stays in .local/"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Stops in the reverse order of the start; not running is no error."""
    del arguments
    for service in reversed(services.both(ports())):
        stopped = processes.stop(service)
        processes.end_leftovers(service.folder)
        print(f"{service.name}: {'stopped' if stopped else 'was not running'}")
    return 0
