"""The command ``loader`` (python -m local): the loader on a local AWS, or a deployed stack, from the command line."""

import argparse
import os
import sys
from types import ModuleType

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
)

from local.client import rights, target
from local.commands import (
    add,
    dbt_sources,
    demo,
    deploy,
    down,
    eject,
    evolve,
    generate,
    inbox,
    redo,
    rejected,
    reload,
    report,
    reset,
    show,
    sql,
    start,
    status,
    try_,
    undo,
    up,
    upload,
    verify,
    where,
)
from local.problem import Problem, Usage

COMMANDS: dict[str, ModuleType] = {
    "up": up,
    "down": down,
    "demo": demo,
    "deploy": deploy,
    "upload": upload,
    "start": start,
    "status": status,
    "where": where,
    "rejected": rejected,
    "undo": undo,
    "redo": redo,
    "reload": reload,
    "show": show,
    "report": report,
    "sql": sql,
    "add": add,
    "try": try_,
    "evolve": evolve,
    "eject": eject,
    "dbt-sources": dbt_sources,
    "verify": verify,
    "inbox": inbox,
    "generate": generate,
    "reset": reset,
}
LOGS = "Its logs are .local/aws/server.log and .local/redshift/server.log."


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    whole = argparse.ArgumentParser(
        prog="loader",
        description="The loader: on a local AWS (everything on this machine, on 127.0.0.1), or with --stack NAME on a "
        "deployed stack, with your own rights.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="""First time? Try demo. Each command has --help, with examples.
exit codes: 0 success; 1 failure; 2 wrong usage, nothing was done;
  3 success, but files are rejected, unreadable or waiting
output: the answer on stdout, with --json for scripts; the rest on stderr
ports: LOCAL_AWS_PORT (4566), LOCAL_REDSHIFT_PORT (4567), LOCAL_PG_PORT (5439) for the first up; later ones remember
data: .local/. Color: on a terminal, unless NO_COLOR is set.""",
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=f"{module.HELP}.",
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        target.add_options(command)
        examples = "\n".join(f"  {line}" for line in module.EXAMPLES)
        more = f"{command.epilog}\n" if command.epilog else ""
        command.epilog = f"{more}examples:\n{examples}"
        command.set_defaults(run=module.run)
    return whole


def main(words: list[str] | None = None) -> int:
    """Runs a command; returns its exit code. An expected failure is one line, not a traceback."""
    whole = parser()
    arguments, rest = whole.parse_known_args(words)
    module = COMMANDS[arguments.command]
    if rest and module is not verify:  # its options are those of python -m verify
        whole.error(f"unrecognized arguments: {' '.join(rest)}")
    arguments.rest = rest
    try:
        arguments.shell = list(os.environ)
        if arguments.stack and (reason := getattr(module, "ONLY_HERE", "")):
            raise Usage(f"It has no --stack: {reason}")
        for said in target.prepare(arguments, os.environ):
            print(f"loader: {said}", file=sys.stderr)
        return int(arguments.run(arguments))
    except Problem as problem:
        print(f"{arguments.command}: {problem}", file=sys.stderr)
        return problem.code
    except (BotoCoreError, ClientError) as error:
        print(f"{arguments.command}: {explained(error, arguments)}", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"\n{arguments.command}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has exited, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    finally:
        target.forget()
    return 1


def explained(error: BotoCoreError | ClientError, arguments: argparse.Namespace) -> str:
    """An error of AWS, and what to do."""
    if not arguments.stack:
        return f"the local AWS returned an error: {error}\n{LOGS}"
    if isinstance(error, ClientError) and (right := rights.missing(error)):
        return str(rights.Denied(right))
    profile = f" --profile {arguments.profile}" if arguments.profile else ""
    if isinstance(error, NoCredentialsError | PartialCredentialsError | SSOError) or (
        isinstance(error, ClientError) and rights.is_expired(error)
    ):
        return (
            f"{error}\nLog in again (aws sso login{profile}, or as you usually do). aws sts get-caller-identity"
            f"{profile} says whether it worked."
        )
    if isinstance(error, EndpointConnectionError):
        return f"{error}\nCheck the region, the network, and AWS_ENDPOINT_URL if you have set it."
    return f"AWS returned an error: {error}"


if __name__ == "__main__":
    sys.exit(main())
