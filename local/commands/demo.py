"""demo: from nothing to a validated star schema, then a summary."""

import argparse
import json
import re
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local.client import made, queries, sam, stack
from local.client.clients import Clients, clients
from local.client.objects import found_in
from local.client.sweeps import sweep
from local.commands import generate, report, reset, up
from local.commands.upload import upload
from local.datasets import datasets
from local.environment import BUILD, DATA, ports
from local.problem import FAILED
from local.show.report import Report, exit_code
from local.show.summary import Summary
from local.show.terminal import painted

COUNTED = re.compile(r"FROM \$\{schema\}\.(\w+)")
HELP = "run everything from an empty start: load files into the star schema, print a summary"
EXAMPLES = ("loader demo", "loader demo --data my-files/")
ONLY_HERE = (
    "it starts with an empty bucket and warehouse. loader upload DIR --stack NAME loads files."
)

NEXT = """What to try next; everything is still running:
  eval "$(.venv/bin/loader up)"    # points aws and sam in this shell at the local AWS
  aws s3 ls --recursive s3://$BUCKET/ | head                      # if the AWS CLI is installed
  .venv/bin/loader sql "SELECT level, COUNT(*) AS plays FROM songplays GROUP BY level"
  .venv/bin/loader where log_data/2018/11/  # what became of these files
  .venv/bin/loader start '{"dry_run": true}'
  .venv/bin/loader status                   # what is loaded of each dataset, and what needs attention
  .venv/bin/loader report --open            # the page of all loads
  .venv/bin/loader inbox                    # what would have been emailed: rejected files, failed loads, alarms
Stop it: make down"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which files."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="files to load, in one folder per prefix: log_data/, song_data/, … (default: generated files)",
    )
    parser.add_argument(
        "--wipe",
        action="store_true",
        help="delete all files first, including those that no demo created",
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if a load or a check failed, 3 if files were left out. The local AWS keeps running.

    Raises Problem if it would delete files that it did not create.
    """
    folder: Path | None = arguments.data
    if folder is not None:
        found_in(folder)  # fails before anything is started
    phases: dict[str, float] = {}
    at = ports()
    with _timed(phases, "start"):
        started = up.begin(at)  # it starts while sam builds
    with _timed(phases, "build"):
        sam.build(at)
    with _timed(phases, "start"):
        up.wait(at, started)
    found = clients(arguments)
    with _timed(phases, "deploy"):
        sam.deploy(at)
    parts = stack.deployed(found)
    with _timed(phases, "reset"):
        if not arguments.wipe:
            made.refuse_others(found, parts.data_bucket)
        reset.reset(found, parts)
    if folder is None:
        folder = DATA / "demo-data"
        with _timed(phases, "generate"):
            shutil.rmtree(folder, ignore_errors=True)
            generate.make(folder)
    made.note(parts.data_bucket, found_in(folder))
    with _timed(phases, "upload and load"):
        reports = upload(found, parts, folder)
    with _timed(phases, "sweep"):
        # The page of loads and status say what the last sweep saw; its schedule starts the first one in an hour.
        reports += sweep(found, parts)
    shown = summary(found, reports, phases)
    _write(shown)
    for line in ("", *shown.lines(), "", NEXT):
        print(painted(line, sys.stdout))
    print(f"All loads, as a page: {report.written(found, parts)}")
    return exit_code(reports) if shown.passed else FAILED


@contextmanager
def _timed(phases: dict[str, float], name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    phases[name] = phases.get(name, 0.0) + time.monotonic() - started


def _write(shown: Summary) -> None:
    BUILD.mkdir(exist_ok=True)
    text = json.dumps(shown.as_json(), indent=2, ensure_ascii=False)
    (BUILD / "demo.json").write_text(f"{text}\n", encoding="utf-8")


def summary(clients: Clients, reports: Iterable[Report], phases: dict[str, float]) -> Summary:
    """Counts the rows of every table that the datasets report."""
    tables = _reported()
    names = ", ".join(
        f'(SELECT COUNT(*) FROM "{name}") AS "{name}"'  # noqa: S608 - names of published.sql
        for name in tables
    )
    counted = queries.run(
        clients,
        f"SELECT {names},"  # noqa: S608
        " (SELECT COUNT(*) FROM songplays WHERE song_id IS NOT NULL) AS matched",
    )
    figures = {
        name: int(value or 0) for name, value in zip(counted.columns, counted.rows[0], strict=True)
    }
    return Summary(
        tables={name: figures[name] for name in tables},
        matched=figures["matched"],
        reports=list(reports),
        phases=phases,
    )


def _reported() -> list[str]:
    """The tables of which a dataset reports the rows that it wrote, in the order of its published.sql."""
    files = (each.folder / "published.sql" for each in datasets())
    found = (COUNTED.findall(file.read_text(encoding="utf-8")) for file in files)
    return list(dict.fromkeys(name for names in found for name in names))
