"""show: the report of an execution, followed to its end if it runs; or the files that are made of a dataset."""

import argparse
from collections.abc import Iterator

from botocore.exceptions import ClientError

from local.client import executions, rights, stack
from local.client.clients import Clients, clients
from local.commands.start import told
from local.datasets import Dataset, datasets
from local.problem import Problem
from local.show.report import exit_code

HELP = "print the report of an execution (the newest, or the one with an ARN or name), or the files of a dataset"
EXAMPLES = (
    "loader show",
    "loader show 20261123-220615-40a6feca --json",
    "loader show log_data",
    "loader show --stack s3-redshift-loader",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which execution, or which dataset."""
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="a dataset: prints its files as they are deployed; or an execution's ARN, its name, or its load id "
        "(default: the newest execution)",
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON, for scripts")


def run(arguments: argparse.Namespace) -> int:
    """The same exit code as start: 1 if it failed, 3 if it left files out. 0 for a dataset."""
    for dataset in datasets():
        if dataset.name == arguments.name:
            print("\n".join(files(dataset)), end="")
            return 0
    found = clients(arguments)
    parts = stack.deployed(found)
    arn = _arn(found, parts.state_machine, arguments.name)
    report = executions.follow(found, arn, executions.title(arn))
    told(report, json_wanted=arguments.json)
    return exit_code([report])


def files(dataset: Dataset) -> Iterator[str]:
    """The built files of a dataset, each with a line that names it."""
    for path in sorted(path for path in dataset.folder.rglob("*") if path.is_file()):
        yield f"==> sql/datasets/{dataset.name}/{path.relative_to(dataset.folder)} <=="
        yield path.read_text(encoding="utf-8")


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
    except ClientError as error:
        if rights.missing(error) or rights.is_expired(error):
            raise
        loaded = executions.of_load(found, machine, wanted)
        if loaded is None:
            raise Problem(
                f"There is no execution named {wanted}, no load with that id, and no such dataset: these are "
                f"{', '.join(each.name for each in datasets())}."
            ) from None
        return loaded
    return arn
