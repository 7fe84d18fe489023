"""What a person agrees to before rows of a deployed stack are deleted or replaced."""

import argparse
import sys

from local.client.clients import Clients
from local.problem import Usage


def add_option(parser: argparse.ArgumentParser) -> None:
    """--yes NAME."""
    parser.add_argument(
        "--yes",
        metavar="NAME",
        help="with --stack: the stack's name again, in place of the question (for scripts)",
    )


def ask(found: Clients, arguments: argparse.Namespace, what: str) -> None:
    """Asks for the stack's name; ``what`` says what the command does. Raises Usage for another answer, or without a
    terminal to ask on.

    The local AWS is not asked for: it holds nothing that make demo cannot make again.
    """
    if found.target.local:
        return
    name = found.target.stack
    said = arguments.yes
    if said is None:
        if not sys.stdin.isatty():
            raise Usage(
                f"This {what}, on the stack {name}. To agree without a terminal, pass --yes {name}."
            )
        print(f"This {what}, on the stack {name}.", file=sys.stderr)
        print(f"Type the stack's name ({name}) to go on: ", end="", file=sys.stderr, flush=True)
        said = sys.stdin.readline().strip()
    if said != name:
        raise Usage(f"{said!r} is not the stack's name, {name}. Nothing was done.")
