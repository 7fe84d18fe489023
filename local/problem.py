"""What the command line says, in a line, when something expected goes wrong."""


class Problem(Exception):
    """Ends a command with exit code 1. The text says what happened and what to do next."""
