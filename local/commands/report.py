"""report: one page of all loads: what is current, what failed and why, what to do."""

import argparse
import json
import sys
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.client import history, stack
from local.client.clients import Clients, clients
from local.client.stack import Stack
from local.environment import BUILD
from local.problem import ASKS, WELL, Problem
from local.show.terminal import visible

from loader.page.commands import Commands  # isort: skip - local.client.history makes it found
from loader.page.document import loads_html  # isort: skip
from loader.page.model import Page  # isort: skip
from loader.page.state import state_of  # isort: skip

HELP = "write a page of all loads, as one HTML file"
EXAMPLES = (
    "loader report --open",
    "loader report --load 20261123-220615-40a6feca --open",
    "loader report --stack s3-redshift-loader --out loads.html",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which load, and where to."""
    parser.add_argument("--load", metavar="ID", help="open the page at this load")
    parser.add_argument("--open", action="store_true", help="show the page in the browser")
    parser.add_argument(
        "--out",
        type=Path,
        default=BUILD / "loads.html",
        metavar="FILE",
        help="where to write it (default: build/loads.html)",
    )
    parser.add_argument("--json", action="store_true", help="the state as JSON, for scripts")


def run(arguments: argparse.Namespace) -> int:
    """Exit code 3 if files are left out. Raises Problem for a load that the history does not have."""
    found = clients(arguments)
    page = history.page(found, stack.deployed(found), datetime.now(UTC))
    if arguments.load and all(load.id != arguments.load for load in page.loads):
        raise Problem(
            f"The history has no load {arguments.load}. It has {len(page.loads):,} loads of {len(page.dates)} days."
        )
    url = write(page, Commands(found.target.words), arguments.out)
    if arguments.load:
        url = f"{url}#load-{arguments.load}"
    if arguments.json:
        print(json.dumps(as_json(page, url), indent=2, ensure_ascii=False))
    else:
        print("\n".join([visible(sentence(page)), url]))
    if arguments.open and not webbrowser.open(url):
        print("No browser could be started; open the file yourself.", file=sys.stderr)
    return ASKS if page.left_out else WELL


def written(found: Clients, parts: Stack) -> str:
    """Writes the page where ``report`` does; returns its URL."""
    page = history.page(found, parts, datetime.now(UTC))
    return write(page, Commands(found.target.words), BUILD / "loads.html")


def write(page: Page, commands: Commands, out: Path) -> str:
    """Writes the page; returns its URL. Raises Problem if that cannot be done."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(loads_html(page, commands), encoding="utf-8")
    except OSError as error:
        raise Problem(f"The page could not be written to {out}: {error.strerror}.") from error
    return out.resolve().as_uri()


def as_json(page: Page, url: str) -> dict[str, Any]:
    """The state, and where the page is."""
    return {**state_as_json(page), "page": url}


def state_as_json(page: Page) -> dict[str, Any]:
    """The state."""
    state, current = state_of(page), page.current_as_of
    return {
        "level": state.level,
        "concerns": [each.text for each in state.concerns],
        "current_as_of": current.isoformat() if current else None,
        "last_load": page.last.id if page.last else None,
        "loads": len(page.loads),
        "left_out": len(page.left_out),
    }


def sentence(page: Page) -> str:
    """The state in a line."""
    state = state_of(page)
    why = "; ".join(each.text for each in state.concerns)
    return f"{state.verdict}: {why}." if why else f"{state.verdict}."
