"""What the command line says, in a line, when something expected goes wrong, and how a command ends."""

WELL = 0
FAILED = 1
USAGE = 2
"""The command line, an input or a variable is wrong: nothing was done. argparse's code too."""
ASKS = 3
"""It ended well, but files are rejected, unreadable or waiting: look at them."""


class Problem(Exception):
    """Ends a command with exit code 1. The text says what happened and what to do next."""

    code = FAILED


class Usage(Problem):
    """The same for what was asked wrongly: exit code 2."""

    code = USAGE
