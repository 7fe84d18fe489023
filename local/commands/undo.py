"""undo: take what one load inserted out of the tables."""

import argparse
from typing import Any

from local.client import loads_of
from local.client.clients import clients
from local.commands import start

HELP = "take what one load inserted out of the tables, and withdraw its files"
EXAMPLES = (
    "loader undo 20261123-220615-40a6feca --dry-run",
    "loader undo 20261123-220615-40a6feca",
    "loader undo 20261123-220615-40a6feca --stack s3-redshift-loader --yes s3-redshift-loader",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which load."""
    parser.add_argument("load", metavar="LOAD", help="its load id (loader where FILE shows it)")
    parser.add_argument(
        "--dry-run", action="store_true", help="only say what it would take out; never asks"
    )
    start.add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if it was refused or failed."""
    document = {"undo": loads_of.checked(arguments.load)}
    return start.run_with(clients(arguments), arguments, with_dry_run(document, arguments))


def with_dry_run(document: dict[str, Any], arguments: argparse.Namespace) -> dict[str, Any]:
    """The input, of which nothing is carried out with --dry-run."""
    return {**document, "dry_run": True} if arguments.dry_run else document
