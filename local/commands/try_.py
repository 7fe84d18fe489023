"""try: what a load would do with files, without a deployment."""

import argparse
import sys
import tempfile
from pathlib import Path

from contracts import build, reading
from contracts.document import ContractError
from contracts.model import Contract
from local.datasets import datasets
from local.environment import ROOT
from local.problem import ASKS, FAILED, WELL, Problem, Usage
from local.show.terminal import painted

HELP = "say what a load would do with files, without a deployment: rows, bad rows, keys that no column takes"
EXAMPLES = (
    "loader try orders my-files/",
    "loader try orders new.jsonl --loaded old.jsonl --json",
    "loader try orders s3://my-bucket/orders/a.jsonl --stack s3-redshift-loader",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The dataset and the files."""
    parser.add_argument("name", metavar="NAME", help="the dataset")
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a file, a folder, or s3://bucket/key"
    )
    parser.add_argument(
        "--loaded",
        nargs="+",
        default=[],
        metavar="FILE",
        help="files that are loaded before: without any, a bad file alone only waits",
    )
    parser.add_argument(
        "--as",
        dest="below",
        metavar="PREFIX",
        help="the prefix of the files' keys (default: what follows the dataset's prefix in their paths)",
    )
    parser.add_argument("--json", action="store_true", help="the verdict as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Exit code 3 if a load would leave files out, 1 if it would fail for another reason."""
    # Here, because the other commands need none of it: the local Redshift takes half a second.
    from local.show import verdict as shown
    from local.trial import keys, verdict

    known = {each.name: each for each in datasets()}
    dataset = known.get(arguments.name)
    if dataset is None:
        raise Usage(f"There is no dataset {arguments.name}. The datasets are {', '.join(known)}.")
    with tempfile.TemporaryDirectory(prefix="loader-try-") as work:
        files, loaded = (
            keys.of_files(words, dataset, known.values(), arguments.below, _folder(work, name))
            for words, name in ((arguments.files, "files"), (arguments.loaded, "loaded"))
        )
        found = verdict.of(
            build.ready(), dataset.name, files, loaded=loaded, contract=_contract(dataset.name)
        )
    if arguments.json:
        print(shown.as_json(found))
    else:
        for line in shown.lines(found):
            print(painted(line, sys.stdout))
    if found.asks:
        return ASKS
    return FAILED if found.cause else WELL


def _folder(work: str, name: str) -> Path:
    made = Path(work) / name
    made.mkdir()
    return made


def _contract(name: str) -> Contract | None:
    """The contract of a dataset; None if its SQL is written by hand."""
    path = ROOT / "sql" / "datasets" / name / build.SOURCE
    if not path.is_file():
        return None
    try:
        found = reading.read(path)
    except ContractError as error:
        raise Problem(str(error)) from error
    return found if isinstance(found, Contract) else None
