"""rejected: the files and rows that were left out, by reason."""

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from local.client import ledger, loads_of, stack
from local.client.clients import clients
from local.client.ledger import Bad, LeftOut
from local.commands.start import LONGEST
from local.problem import ASKS, WELL, Problem
from local.show.files import SHOWN, again_lines, kind, when, where_in
from local.show.report import LEFT_OUT
from local.show.terminal import cut, painted, visible

HELP = "list files that were not loaded, or with --rows bad rows of loaded files, by reason; and how to try them again"
EXAMPLES = (
    "loader rejected",
    "loader rejected log_data/2018/12/ --json",
    "loader rejected --rows --load 20261123-220615-40a6feca",
    "loader rejected --input | loader start -",
    "loader rejected --stack s3-redshift-loader",
)
MOST = 1_000
SHOWN_RECORD = 160


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and how they are shown."""
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="only these: a key, a prefix ending with /, or a pattern with * and ? (default: all)",
    )
    parser.add_argument(
        "--rows", action="store_true", help="rows that were left out of loaded files"
    )
    parser.add_argument("--load", metavar="LOAD", default="", help="only those of this load id")
    parser.add_argument(
        "--last", type=int, default=MOST, metavar="N", help=f"at most the newest N ({MOST:,})"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="all of it as JSON, for scripts")
    how.add_argument(
        "--input",
        action="store_true",
        help="only the input of an execution that tries the files again (loader start -)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit code 3 if there are files that are rejected, unreadable or waiting; with --rows or --input always 0."""
    load = loads_of.checked(arguments.load) if arguments.load else ""
    found = clients(arguments)
    parts = stack.deployed(found)
    bad = ledger.rejected(
        found, parts.data_bucket, arguments.files, load, max(arguments.last, 1), rows=arguments.rows
    )
    again = input_of(bad, rows=arguments.rows)
    if arguments.input:
        if again is None:
            raise Problem("There is nothing to try again.")
        print(json.dumps(again, ensure_ascii=False))
        return WELL
    if arguments.json:
        print(json.dumps(as_json(bad, again), indent=2, ensure_ascii=False))
    else:
        for line in lines(bad, again, arguments, found.target.suffix):
            print(painted(line, sys.stdout))
    return ASKS if any(one.status in LEFT_OUT for one in bad.bad) else WELL


def input_of(found: LeftOut, *, rows: bool) -> dict[str, Any] | None:
    """The input that tries the files again, as many of them as an input holds; None if there is nothing to try."""
    more = {"reload": True} if rows else {}
    keys: list[str] = []
    room = LONGEST - len(json.dumps({"keys": [], **more}).encode())
    for key in found.again:
        room -= len(json.dumps(key, ensure_ascii=False).encode()) + 2
        if room < 0:
            break
        keys.append(key)
    return {"keys": keys, **more} if keys else None


def groups(found: LeftOut) -> list[list[Bad]]:
    """Those with the same reason together, the group with the newest first, and in each the newest first."""
    together: dict[tuple[str, ...], list[Bad]] = {}
    for one in found.bad:
        together.setdefault((one.dataset, one.status, one.column, kind(one.reason)), []).append(one)
    return list(together.values())


def as_json(found: LeftOut, again: dict[str, Any] | None) -> dict[str, Any]:
    """For scripts; docs/commands.md has the fields."""
    return {
        "total": found.total,
        "groups": [
            {
                "dataset": group[0].dataset,
                "status": group[0].status,
                "column": group[0].column,
                "reason": group[0].reason,
                "count": len(group),
                "files": [asdict(one) for one in group],
            }
            for group in groups(found)
        ],
        "again": again,
    }


def lines(
    found: LeftOut, again: dict[str, Any] | None, arguments: argparse.Namespace, suffix: str
) -> Iterator[str]:
    """A paragraph for each reason, and the command that tries the files again."""
    if not found.bad:
        yield f"No {'row' if arguments.rows else 'file'} was left out."
        return
    for group in groups(found):
        first = group[0]
        many = (
            f"{len(group):,} {'row' if arguments.rows else 'file'}{'' if len(group) == 1 else 's'}"
        )
        column = f", column {visible(first.column)}" if first.column else ""
        state = "left out" if arguments.rows else first.status
        yield f"{many} {state} of {first.dataset}{column}: {visible(first.reason) or 'no reason is recorded'}"
        for one in group[:SHOWN]:
            record = f"  {cut(visible(one.record), SHOWN_RECORD)}" if one.record else ""
            yield f"  {when(one.at)}  load {one.load_id}  {where_in(one.key, one)}{record}"
        if len(group) > SHOWN:
            yield f"  … and {len(group) - SHOWN:,} more (--json has all)"
    if found.total > len(found.bad):
        yield f"These are the newest {len(found.bad):,} of {found.total:,} (--last N)."
    if any(one.status == "missing" for one in found.bad):
        yield "missing: these were deleted before they were loaded; upload them again"
    if again:
        yield (
            "Upload corrected rows in a file of their own. If the contract is wrong: change it, deploy, and"
            " load the files again:"
            if arguments.rows
            else "to try them again as they are:"
        )
        named = "".join(f" {shlex.quote(word)}" for word in arguments.files)
        named += " --rows" if arguments.rows else ""
        named += f" --load {arguments.load}" if arguments.load else ""
        yield from again_lines(again["keys"], again, named, suffix)
