"""redo: load the files of an undone load again."""

import argparse

from local.client import loads_of
from local.client.clients import clients
from local.commands import start
from local.commands.undo import with_dry_run

HELP = "load the files of an undone load again, as they are in the bucket now"
EXAMPLES = (
    "loader redo 20261123-220615-40a6feca --dry-run",
    "loader redo 20261123-220615-40a6feca",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which load."""
    parser.add_argument("load", metavar="LOAD", help="the load id that was undone")
    parser.add_argument("--dry-run", action="store_true", help="only say what it would load")
    start.add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if it failed, 3 if it left files out."""
    document = {"redo": loads_of.checked(arguments.load)}
    return start.run_with(clients(arguments), arguments, with_dry_run(document, arguments))
