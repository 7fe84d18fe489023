"""generate: a data set in the format of the real files."""

import argparse
from pathlib import Path

from local import generator
from local.problem import Problem
from local.show.progress import Progress

HELP = "write a data set in the real format, of any size; the same seed gives the same bytes"

EXAMPLES = ("loader generate --out build/sample --songs 3 --users 3 --days 1 --events 60",)
ONLY_HERE = "it writes files on this machine. loader upload DIR --stack NAME uploads them."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The size of the data set."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write it")
    sizes = {
        "songs": ("files in song_data/, one song each", generator.DEFAULT_SONGS),
        "users": ("users in the logs", generator.DEFAULT_USERS),
        "days": ("days of logs, one file each", generator.DEFAULT_DAYS),
        "events": ("log lines in total", generator.DEFAULT_EVENTS),
        "seed": ("any whole number", generator.DEFAULT_SEED),
    }
    for name, (meaning, default) in sizes.items():
        parser.add_argument(
            f"--{name}", type=int, default=default, metavar="N", help=f"{meaning} ({default})"
        )


def run(arguments: argparse.Namespace) -> int:
    """Writes it and prints what it contains."""
    make(
        arguments.out,
        songs=arguments.songs,
        users=arguments.users,
        days=arguments.days,
        events=arguments.events,
        seed=arguments.seed,
    )
    return 0


def make(
    out: Path,
    songs: int = generator.DEFAULT_SONGS,
    users: int = generator.DEFAULT_USERS,
    days: int = generator.DEFAULT_DAYS,
    events: int = generator.DEFAULT_EVENTS,
    seed: int = generator.DEFAULT_SEED,
) -> None:
    """Writes a data set with progress; raises Problem for impossible sizes."""
    with Progress("generating") as progress:
        try:
            made = generator.generate(
                out,
                songs=songs,
                users=users,
                days=days,
                events=events,
                seed=seed,
                progress=lambda what, done, of: progress.show(f"{done:,} of {of:,} {what}"),
            )
        except (ValueError, OSError) as error:
            raise Problem(str(error)) from error
        progress.end(
            f"{made.songs:,} songs, {made.log_files:,} log files, {made.events:,} events, of which"
            f" {made.plays:,} are plays, {made.bytes / 1e6:.1f} MB in {out}"
        )
