"""upload: upload files to the bucket and follow the loads that they start."""

import argparse
import json
import sys
from pathlib import Path

from local.client import stack
from local.client.clients import Clients, clients
from local.client.loads import LoadsOf
from local.client.objects import found_in, not_taken, put_all
from local.problem import WELL
from local.show.progress import Progress
from local.show.report import (
    LEFT_OUT,
    Report,
    as_json,
    exit_code,
    not_taken_lines,
    noticed_lines,
    rejected_lines,
)
from local.show.terminal import painted

HELP = "upload the files of a folder and wait for the loads that they start"
EXAMPLES = (
    "loader upload my-files/",
    "loader upload my-files/ --no-wait --stack s3-redshift-loader",
    "loader upload my-files/ --json",
)

SHOWN_NOT_TAKEN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder."""
    parser.add_argument(
        "dir",
        type=Path,
        metavar="DIR",
        help="a folder with one subfolder per prefix: log_data/, song_data/, …",
    )
    parser.add_argument("--no-wait", action="store_true", help="only upload; exit code 0")
    parser.add_argument(
        "--json", action="store_true", help="the reports of the loads as JSON, for scripts"
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if one of the loads failed, 3 if they left files out."""
    found = clients(arguments)
    parts = stack.deployed(found)
    wait = not arguments.no_wait
    if wait and stack.paused(found):
        wait = False
        print(
            f"The stack {parts.name} is paused, so nothing loads by itself. To load the files now: loader "
            f"start{found.target.suffix}",
            file=sys.stderr,
        )
    if not wait:
        put(found, parts, arguments.dir)
        if arguments.json:
            print(json.dumps({"loads": []}))
        return WELL
    reports = upload(found, parts, arguments.dir)
    if arguments.json:
        print(
            json.dumps({"loads": [as_json(one) for one in reports]}, indent=2, ensure_ascii=False)
        )
        return exit_code(reports)
    for report in reports:
        told = rejected_lines(report.rejected(), int(report.data.get("rejected_total") or 0))
        for said in [*told, *noticed_lines(report.data.get("sample") or {})]:
            print(painted(said, sys.stdout))
    if keys := not_taken(found_in(arguments.dir)):
        [said] = not_taken_lines({"files": len(keys), "keys": keys[:SHOWN_NOT_TAKEN]})
        print(painted(said, sys.stdout))
    failed = sum(report.failed for report in reports)
    counts = {kind: sum(report.files(kind) for report in reports) for kind in LEFT_OUT}
    left = "".join(f", {number:,} files {kind}" for kind, number in counts.items() if number)
    print(
        painted(
            f"{len(reports):,} load{'' if len(reports) == 1 else 's'}, {failed:,} failed{left}",
            sys.stdout,
        )
    )
    return exit_code(reports)


def upload(found: Clients, parts: stack.Stack, folder: Path) -> list[Report]:
    """Uploads the files of a folder; returns the reports of the loads that they started, once all have ended."""
    found_in(folder)  # raises Problem before anything is asked
    loads = LoadsOf(found, parts)
    return loads.wait(put(found, parts, folder))


def put(found: Clients, parts: stack.Stack, folder: Path) -> dict[str, str]:
    """Uploads the files of a folder; their ETags by key."""
    files = found_in(folder)
    with Progress("uploading") as progress:
        etags = put_all(
            found,
            parts.data_bucket,
            files,
            lambda done: progress.show(f"{done:,} of {len(files):,} files"),
        )
        progress.end(f"{len(files):,} files to s3://{parts.data_bucket}")
    return etags
