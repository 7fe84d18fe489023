"""evolve: keys that no column takes become columns of a dataset's contract."""

import argparse
import difflib
import sys
import tempfile
from pathlib import Path

from contracts import evolving
from contracts.add.problem import NoContract
from contracts.document import ContractError
from contracts.evolving import Evolved, Wanted
from local.client import queries
from local.client.clients import clients
from local.environment import ROOT
from local.problem import Problem
from local.show.terminal import visible

HELP = "add a column to a dataset's contract for each key in its files that no column takes"
EXAMPLES = (
    "loader evolve orders",
    "loader evolve orders customer.name --yes",
    "loader evolve orders --from new-files/",
    "loader evolve orders --stack s3-redshift-loader",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which dataset, which keys, and whether to ask."""
    parser.add_argument("name", metavar="NAME", help="the dataset: its folder in sql/datasets/")
    parser.add_argument(
        "keys",
        nargs="*",
        metavar="KEY",
        help="only these keys, as the report has them (default: all)",
    )
    parser.add_argument(
        "--from",
        nargs="+",
        dest="samples",
        metavar="FILE",
        help="by these files (a folder, or s3:// too) instead of what loads have seen",
    )
    parser.add_argument("--yes", action="store_true", help="write the file without asking")


def run(arguments: argparse.Namespace) -> int:
    """Raises Problem if the contract is wrong, or a key was not seen."""
    source = ROOT / "sql" / "datasets" / arguments.name / "dataset.yaml"
    shown = str(source.relative_to(ROOT))
    if not source.is_file():
        raise Problem(f"There is no {shown}.")
    seen = of_files(arguments) if arguments.samples else sightings(arguments)
    if missing := [key for key in arguments.keys if key not in seen]:
        known = ", ".join(map(visible, seen)) or "none"
        raise Problem(
            f"No load has seen the key {visible(missing[0])} in {arguments.name}; seen are: {known}."
        )
    wanted = [
        Wanted(path, line)
        for path, line in seen.items()
        if path in arguments.keys or not arguments.keys
    ]
    try:
        found = evolving.evolve(source, wanted, shown=shown)
    except ContractError as error:
        raise Problem(str(error)) from error
    told(found, source.read_text(encoding="utf-8"), shown)
    if not found.added:
        print(f"evolve: nothing to add to {shown}")
        return 0
    if not arguments.yes and not agreed():
        print(f"evolve: {shown} is unchanged")
        return 0
    source.write_text(found.text, encoding="utf-8")
    print(
        f"evolve: {shown} has {len(found.added)} columns more. Check their types, which are from samples, then deploy. "
        "Rows that are loaded get them only by a reload of their files."
    )
    return 0


def of_files(arguments: argparse.Namespace) -> dict[str, str]:
    """The same of sample files, as ``loader add`` understands them."""
    with tempfile.TemporaryDirectory(prefix="loader-evolve-") as work:
        try:
            found = evolving.of_samples(arguments.name, arguments.samples, Path(work))
        except NoContract as error:
            raise Problem(str(error)) from error
    return {one.path: one.line for one in found}


def sightings(arguments: argparse.Namespace) -> dict[str, str]:
    """Path -> the line that would take it, of the keys that loads have seen; as the last load that saw it suggests."""
    name = arguments.name
    if not name.replace("_", "").isalnum() or not name.isascii():
        raise Problem(f"{name!r} is not the name of a dataset.")
    found = clients(arguments)
    rows = queries.run(
        found,
        f"SELECT path, suggested FROM {found.warehouse.schema}.key_sightings"  # noqa: S608
        f" WHERE dataset = '{name}' AND suggested <> '' ORDER BY seen_at, load_id",
    ).rows
    return {str(path): str(suggested) for path, suggested in rows}


def told(found: Evolved, before: str, shown: str) -> None:
    """Prints what changes, and which keys are left."""
    difference = difflib.unified_diff(
        before.splitlines(), found.text.splitlines(), shown, shown, n=1, lineterm=""
    )
    for line in difference:
        print(visible(line))
    for path, why in found.left.items():
        if why == evolving.TAKEN:
            continue
        print(f"not added: {visible(path)}: {visible(why)}")


def agreed() -> bool:
    """Asks on a terminal; without one, --yes is needed."""
    if not sys.stdin.isatty():
        raise Problem("To write the file without a terminal to ask on, use --yes.")
    return input("Write these lines? [y/N] ").strip().lower() in ("y", "yes")
