"""inbox: what would have been emailed."""

import argparse
import sys
from collections import deque

from local.aws.server import inbox_file
from local.environment import DATA
from local.show.inbox import read
from local.show.terminal import painted

HELP = "show what would have been emailed: rejected files, failed loads, alarms"
SHOWN = 10
EXAMPLES = ("loader inbox --last 3",)
ONLY_HERE = "a deployed stack sends to the subscribers of its topic (output NotificationsTopicArn)."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many."""
    parser.add_argument(
        "--last", type=int, default=SHOWN, metavar="N", help=f"how many of the newest ({SHOWN})"
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints them, the newest last. The servers need not be running."""
    file = inbox_file(DATA / "aws" / "data")
    found = deque(read(file), maxlen=max(arguments.last, 1))
    if not found:
        print("Nothing has been sent: no load failed or left files out, and no alarm fired.")
    for each in found:
        topic = each.topic.rpartition(":")[2]
        print(f"{each.sent}  to {topic}")
        print(f"Subject: {painted(each.subject, sys.stdout)}\n")
        for line in each.text.splitlines():
            print(f"  {line}".rstrip())
        print()
    print(f"{len(found)} shown, the newest last. All: {file}")
    return 0
