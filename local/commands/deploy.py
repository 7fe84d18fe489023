"""deploy: sam build and sam deploy, to the local AWS."""

import argparse

from local.client import sam, stack, versions
from local.client.clients import clients
from local.environment import ports

HELP = "build the functions and deploy the stack to the local AWS"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Prints the outputs of the stack, and advice if the tables have another version than the deployed loader."""
    del arguments
    at = ports()
    found = clients(at)
    sam.build(at)
    sam.deploy(at)
    given = stack.outputs(found, stack.stack_name())
    width = max(map(len, given), default=0)
    for name, value in sorted(given.items()):
        print(f"{name:<{width}}  {value}")
    if advice := versions.advice(found):
        print(f"\n{advice}")
    return 0
