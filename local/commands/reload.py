"""reload: replace what files have loaded."""

import argparse
from typing import Any

from local.client import loads_of
from local.client.clients import Clients, clients
from local.commands import start
from local.commands.undo import with_dry_run
from local.problem import Problem

HELP = "delete what files have loaded and load them again, such as after a change of their mapping"
EXAMPLES = (
    "loader reload log_data/2018/11/ --dry-run",
    "loader reload log_data/2018/11/2018-11-12-events.json",
    "loader reload 20261123-220615-40a6feca --stack s3-redshift-loader",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which files."""
    parser.add_argument(
        "what",
        nargs="+",
        metavar="WHAT",
        help="keys, prefixes (ending with / or *), or one load id: the files that it has loaded",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="only say what it would load; never asks"
    )
    start.add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if it failed, 3 if it left files out."""
    found = clients(arguments)
    document: dict[str, Any] = {"reload": True, **_files(found, arguments.what)}
    return start.run_with(found, arguments, with_dry_run(document, arguments))


def _files(found: Clients, words: list[str]) -> dict[str, list[str]]:
    """The input's keys and prefixes."""
    if len(words) == 1 and loads_of.LOAD_ID.fullmatch(words[0]):
        keys = loads_of.keys(found, words[0])
        if not keys:
            raise Problem(f"No file in the ledger is loaded by the load {words[0]}.")
        return {"keys": keys}
    prefixes = [word.removesuffix("*") for word in words if word.endswith(("/", "*"))]
    keys = [word for word in words if not word.endswith(("/", "*"))]
    named = {"prefixes": prefixes, "keys": keys}
    return {name: given for name, given in named.items() if given}
