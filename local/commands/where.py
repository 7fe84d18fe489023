"""where: what became of a file."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from local.client import ledger, stack
from local.client.clients import clients
from local.client.ledger import Asked, File, Found
from local.problem import ASKS, FAILED, WELL
from local.show.files import DETAILED, start, when, why
from local.show.report import LEFT_OUT
from local.show.terminal import painted, visible

HELP = (
    "say what became of a file: every version of its key, what each load did with it, when and why"
)
EXAMPLES = (
    "loader where log_data/2018/11/2018-11-12-events.json",
    "loader where 2018-11-12-events.json",
    "loader where 'log_data/2018/11/*' --json",
    "loader where log_data/2018/11/ --stack s3-redshift-loader",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which files."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a key, a prefix ending with /, a pattern with * and ?, a name without its folders, or s3://bucket/key",
    )
    parser.add_argument("--json", action="store_true", help="all of it as JSON, for scripts")


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if nothing is known of one of the files, 3 if one is rejected, unreadable or waiting."""
    found = clients(arguments)
    parts = stack.deployed(found)
    files = ledger.where(found, parts.data_bucket, arguments.files)
    if arguments.json:
        print(json.dumps(as_json(files, parts.data_bucket), indent=2, ensure_ascii=False))
    else:
        for line in lines(files, parts.data_bucket, found.target.suffix):
            print(painted(line, sys.stdout))
    if files.nothing:
        return FAILED
    return ASKS if any(file.status in LEFT_OUT for file in files.files) else WELL


def as_json(found: Found, bucket: str) -> dict[str, Any]:
    """For scripts; docs/commands.md has the fields."""
    return {
        "bucket": bucket,
        "files": [
            {
                "key": file.key,
                "status": file.status,
                "in_bucket": asdict(file.now) if file.now else None,
                "versions": [{**asdict(one), "status": one.status} for one in file.versions],
            }
            for file in found.files
        ],
        "never_seen": found.nothing,
        "more": found.more,
        "bucket_not_seen": found.not_seen or None,
    }


def lines(found: Found, bucket: str, suffix: str) -> Iterator[str]:
    """All about a few files, or a line for each of many."""
    for file in found.files:
        yield from (_in_full(file, suffix) if len(found.files) <= DETAILED else [_in_short(file)])
    for word in found.nothing:
        if Asked(word).everywhere:
            bare = ". Give the whole key to look for it in the bucket"
        else:
            bare = "" if found.not_seen else f", and s3://{bucket} has no such object"
        yield f"{visible(word)}: no load has seen it{bare}"
    if found.more:
        yield "There are more. Name a longer prefix."
    if found.not_seen:
        yield f"Only the ledger was looked at, not the bucket: {found.not_seen}."


def _in_short(file: File) -> str:
    version = file.version
    if version is None:
        return f"{file.status:<10}  {'':16}  {visible(file.key)}"
    newest = version.records[0]
    return f"{newest.status:<10}  {when(newest.at)}  {visible(file.key)}{why(newest)}"


def _in_full(file: File, suffix: str) -> Iterator[str]:
    yield f"{visible(file.key)}: {file.status}"
    if file.now and file.version is None:
        yield f"  version {file.now.etag}, {_bytes(file.now.size)}, in the bucket since {when(file.now.modified)}"
        yield "    no load has seen it"
    for version in file.versions:
        now = ""
        if file.now and file.now.etag == version.etag:
            now = ", in the bucket now"
        elif file.gone:
            now = ", no longer in the bucket"
        yield f"  version {version.etag}, {_bytes(version.size)}, {version.dataset}{now}"
        for record in version.records:
            yield f"    {when(record.at)}  {record.status:<10}  load {record.load_id}{why(record)}"
    if to_do := _next(file, suffix):
        yield f"  {to_do}"


def _bytes(size: int | None) -> str:
    return "unknown size" if size is None else f"{size:,} byte{'' if size == 1 else 's'}"


def _next(file: File, suffix: str) -> str:
    """What a person can do."""
    load = file.version.records[0].load_id if file.version else ""
    one = start({"keys": [file.key]}, suffix)
    return {
        "loaded": f"to take its load out: loader undo {load} --dry-run{suffix}",
        "rejected": f"upload a corrected file under this key; or try it again as it is: {one}",
        "unreadable": f"let COPY read it; every sweep tries it again, and so does: {one}",
        "waiting": f"every sweep tries it again, and so does: {one}",
        "missing": "upload it again",
        "withdrawn": f"to load it again: loader redo {load} --dry-run{suffix}",
        ledger.NOT_LOADED: f"a load that runs or the next sweep takes it; to load it now: {one}",
        ledger.NOT_TAKEN: "no dataset takes a file with this key: rename or move it",
    }.get(file.status, "")
