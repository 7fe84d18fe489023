"""deploy: sam build and sam deploy, to the local AWS or to a stack."""

import argparse
import json
import sys
from collections.abc import Mapping

from local.client import queries, rights, sam, stack, target, versions
from local.client.clients import Clients, clients
from local.environment import ports
from local.problem import WELL, Usage

HELP = "build the functions and deploy the stack, to the local AWS or with your own samconfig.toml"
EXAMPLES = ("loader deploy", "loader deploy --stack s3-redshift-loader", "loader deploy --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For scripts."""
    parser.add_argument("--json", action="store_true", help="the stack's outputs as JSON")
    parser.epilog = (
        "With --stack NAME: runs sam build and sam deploy with the environment of samconfig.toml whose stack_name is\n"
        "NAME. sam shows the changes and asks, unless confirm_changeset is false there. To change parameters, or for\n"
        "the first deployment, use sam deploy --guided (docs/deploying.md).\n"
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints the outputs of the stack, and advice if the tables have another version than the deployed loader."""
    if arguments.stack:
        _to_stack(arguments)
        found = clients(arguments)
    else:
        at = ports()
        found = clients(arguments)
        sam.build(at)
        sam.deploy(at)
    given = stack.outputs(found, stack.name_of(found))
    if arguments.json:
        print(json.dumps({"outputs": given}, indent=2))
    else:
        _print(given)
    if advice := _advice(found):
        print(f"\n{advice}", file=sys.stderr if arguments.json else sys.stdout)
    return WELL


def _print(given: Mapping[str, str]) -> None:
    width = max(map(len, given), default=0)
    for name, value in sorted(given.items()):
        print(f"{name:<{width}}  {value}")


def _advice(found: Clients) -> str:
    try:
        return versions.advice(found)
    except (
        rights.Denied,
        queries.SqlError,
    ) as error:  # who deploys need not be who reads the tables
        return f"The version of the tables could not be read: {error}"


def _to_stack(arguments: argparse.Namespace) -> None:
    """Runs sam as a person would, on this terminal. Raises Usage if samconfig.toml has no environment for the stack."""
    name = arguments.stack
    environment = sam.environment_of(name)
    if environment is None:
        where = target.of(arguments).suffix.replace("--stack", "--stack-name", 1)
        raise Usage(
            f"samconfig.toml has no environment whose stack_name is {name}, so its parameters are not known. The first "
            f"time: sam build && sam deploy --guided{where}, and let it write samconfig.toml. Nothing was done."
        )
    here = target.of(arguments).session.region_name
    if environment.region and environment.region != here:
        raise Usage(
            f"samconfig.toml deploys {name} to {environment.region}, and your region is {here}. Pass --region "
            f"{environment.region}, or change the file. Nothing was done."
        )
    if environment.name == stack.CONFIG_ENVIRONMENT and not target.endpoints(
        arguments.profile, target.own_environment(arguments)
    ):
        raise Usage(
            f"{name} is the stack of the local AWS: leave out --stack, or set AWS_ENDPOINT_URL. Nothing was done."
        )
    more = ["--region", here, *(["--profile", arguments.profile] if arguments.profile else [])]
    sam.to_stack(environment.name, more, target.own_environment(arguments))
