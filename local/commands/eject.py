"""eject: a dataset's contract becomes SQL files of one's own."""

import argparse

from contracts.document import ContractError
from contracts.eject import eject
from local.environment import ROOT
from local.problem import Problem

HELP = "write the SQL that is made of a dataset's contract into files of your own, which then replace the contract"

EXAMPLES = ("loader eject orders",)
ONLY_HERE = "it changes files of this folder. loader deploy --stack NAME deploys them."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which dataset."""
    parser.add_argument("name", metavar="NAME", help="its folder in sql/datasets/")


def run(arguments: argparse.Namespace) -> int:
    """Raises Problem if the contract is wrong, or there is none."""
    folder = ROOT / "sql" / "datasets" / arguments.name
    try:
        written = eject(folder)
    except ContractError as error:
        raise Problem(str(error)) from error
    for path in written:
        print(path.relative_to(ROOT))
    print(
        f"eject: {written[0].relative_to(ROOT)} says sql: true now. The other {len(written) - 1} files do what the "
        "contract did; from now on, change these."
    )
    return 0
