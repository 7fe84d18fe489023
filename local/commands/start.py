"""start: start an execution manually and follow it to its end."""

import argparse
import json
import sys

from local.client import executions, stack
from local.client.clients import Clients, clients
from local.environment import ports
from local.problem import Usage
from local.show.report import Report, exit_code, lines
from local.show.terminal import painted

HELP = "start an execution, follow it to its end and print its report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The execution's input."""
    parser.add_argument("json", nargs="?", default="{}", metavar="JSON", help="its input ({})")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = """inputs:
  {}                                  load everything in the bucket that is not loaded
  {"prefixes": ["log_data/2018/11/"]} only these; also {"keys": ["song_data/A/A/A/x.json"]}
  {"dry_run": true}                   say what a load would do
  {"keys": ["…"], "reload": true}     replace the rows of these files
  {"undo": "<load id>"}               remove the rows of one load
  {"redo": "<load id>"}               load the files of an undone load again
  {"migrate": true}                   create or upgrade the tables, without a load
  {"check": true}                     check the set-up; says what to fix
"""


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if the execution failed, 3 if it left files out."""
    found = clients(ports())
    report = execute(found, stack.deployed(found), arguments.json)
    told(report)
    return exit_code([report])


def told(report: Report) -> None:
    """Prints the report."""
    for line in lines(report):
        print(painted(line, sys.stdout))


def execute(found: Clients, parts: stack.Stack, text: str) -> Report:
    """Starts an execution with ``text`` as its input and waits for its report."""
    try:
        json.loads(text)
    except ValueError as error:
        raise Usage(f"The input is not JSON ({error}): {text}") from error
    arn = executions.start(found, parts.state_machine, text)
    return executions.follow(found, arn, executions.title(arn))
