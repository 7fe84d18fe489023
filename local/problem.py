"""Expected failures of a command, each told in a line, and the exit codes."""

WELL = 0
FAILED = 1
USAGE = 2
"""The command line, an input or a variable is wrong, and nothing was done. Also argparse's exit code."""
ASKS = 3
"""It succeeded, but files are rejected, unreadable or waiting: check them."""


class Problem(Exception):
    """Ends a command with exit code 1. The text says what happened and what to do next."""

    code = FAILED


class Usage(Problem):
    """The same for wrong usage: exit code 2."""

    code = USAGE
