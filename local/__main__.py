"""python -m local COMMAND, or .venv/bin/loader COMMAND: the loader on a local AWS, from the command line."""

import argparse
import os
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from local.commands import (
    add,
    demo,
    deploy,
    down,
    eject,
    evolve,
    generate,
    inbox,
    report,
    reset,
    show,
    sql,
    start,
    status,
    try_,
    up,
    upload,
)
from local.environment import isolated, ports
from local.problem import Problem

COMMANDS = {
    "add": add,
    "up": up,
    "down": down,
    "status": status,
    "deploy": deploy,
    "generate": generate,
    "upload": upload,
    "start": start,
    "show": show,
    "eject": eject,
    "evolve": evolve,
    "inbox": inbox,
    "report": report,
    "sql": sql,
    "try": try_,
    "reset": reset,
    "demo": demo,
}


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    whole = argparse.ArgumentParser(
        prog="loader" if Path(sys.argv[0]).name == "loader" else "python -m local",
        description="The loader on a local AWS: everything runs on this machine, on 127.0.0.1.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="""First time? Try demo.
exit codes: 0 success; 1 failure; 2 wrong usage, nothing was done;
  3 success, but files are rejected, unreadable or waiting
ports: LOCAL_AWS_PORT (4566) and LOCAL_REDSHIFT_PORT (4567) for the first up; later commands remember them
data: .local/. Color: on a terminal, unless NO_COLOR is set.""",
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, description=f"{module.HELP}.")
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return whole


def main(words: list[str] | None = None) -> int:
    """Runs a command; returns its exit code. An expected failure is one line, not a traceback."""
    arguments = parser().parse_args(words)
    try:
        arguments.shell = list(os.environ)
        own = isolated(os.environ, ports())
        for name in set(os.environ) - set(own):
            del os.environ[name]
        os.environ.update(own)
        return int(arguments.run(arguments))
    except Problem as problem:
        print(f"{arguments.command}: {problem}", file=sys.stderr)
        return problem.code
    except (BotoCoreError, ClientError) as error:
        print(
            f"{arguments.command}: the local AWS returned an error: {error}\n"
            "Its logs are .local/aws/server.log and .local/redshift/server.log.",
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        print(f"\n{arguments.command}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has exited, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 1


if __name__ == "__main__":
    sys.exit(main())
