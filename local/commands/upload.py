"""upload: files into the bucket, and the loads that they cause to their end."""

import argparse
from pathlib import Path

from local import stack
from local.clients import Clients, clients
from local.environment import ports
from local.loads import LoadsOf
from local.objects import found_in, put_all
from local.progress import Progress
from local.report import Report, place

HELP = "upload the datasets' files of a folder and wait for the loads that this causes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder."""
    parser.add_argument("dir", type=Path, metavar="DIR", help="has log_data/ and song_data/")


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if one of the loads failed."""
    found = clients(ports())
    reports = upload(found, stack.deployed(found), arguments.dir)
    for report in reports:
        for file in report.rejected():
            print(f"rejected {place(file)}: {file.get('reason')}")
    failed = sum(report.failed for report in reports)
    print(f"{len(reports)} loads, {failed} failed")
    return 1 if failed else 0


def upload(found: Clients, parts: stack.Stack, folder: Path) -> list[Report]:
    """Uploads the files of a folder; the reports of the loads that they caused, all ended."""
    files = found_in(folder)
    loads = LoadsOf(found, parts)
    with Progress("uploading") as progress:
        etags = put_all(
            found,
            parts.data_bucket,
            files,
            lambda done: progress.show(f"{done:,} of {len(files):,} files"),
        )
        progress.end(f"{len(files):,} files to s3://{parts.data_bucket}")
    return loads.wait(etags)
