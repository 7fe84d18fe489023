"""start: start an execution manually and follow it to its end."""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from local.client import consent, executions, stack
from local.client.clients import Clients, clients
from local.problem import Usage
from local.show.report import Report, as_json, exit_code, lines
from local.show.terminal import painted

HELP = "start an execution, follow it to its end and print its report"
EXAMPLES = (
    "loader start",
    """loader start '{"prefixes": ["log_data/2018/11/"], "dry_run": true}'""",
    """loader start '{"check": true}' --stack s3-redshift-loader""",
    "loader rejected --input | loader start -",
)
LONGEST = 262_144
"""Bytes of an execution's input (step-functions/latest/dg/service-quotas.html)."""
DESTROYS = {
    "undo": "takes the rows of a load out of the tables",
    "reload": "deletes the rows of the named files and loads them again",
    "reset": "drops all tables with their rows",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The execution's input."""
    parser.add_argument(
        "input", nargs="?", default="{}", metavar="JSON", help="its input ({}); -: from stdin"
    )
    add_options(parser)
    parser.epilog = """inputs:
  {}                                  load everything in the bucket that is not loaded
  {"prefixes": ["log_data/2018/11/"]} only these; also {"keys": ["song_data/A/A/A/x.json"]}
  {"dry_run": true}                   say what a load would do
  {"keys": ["…"], "reload": true}     replace the rows of these files (loader reload)
  {"undo": "<load id>"}               remove the rows of one load (loader undo)
  {"redo": "<load id>"}               load the files of an undone load again (loader redo)
  {"migrate": true}                   create or upgrade the tables, without a load
  {"check": true}                     check the set-up; says what to fix
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Of every command that starts an execution."""
    parser.add_argument("--json", action="store_true", help="the report as JSON, for scripts")
    consent.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if the execution failed, 3 if it left files out."""
    text = sys.stdin.read() if arguments.input == "-" else arguments.input
    try:
        document = json.loads(text)
    except ValueError as error:
        raise Usage(f"The input is not JSON ({error}): {text}") from error
    return run_with(clients(arguments), arguments, document)


def run_with(found: Clients, arguments: argparse.Namespace, document: Any) -> int:
    """The same with this input: asks first if it deletes rows of a stack."""
    parts = stack.deployed(found)
    if what := destroys(document):
        consent.ask(found, arguments, what)
    report = execute(found, parts, json.dumps(document, ensure_ascii=False))
    told(report, json_wanted=arguments.json)
    return exit_code([report])


def destroys(document: Any) -> str:
    """What an input deletes, in words; '' if it deletes nothing, as a dry run."""
    if not isinstance(document, Mapping) or document.get("dry_run") is True:
        return ""
    return next((what for field, what in DESTROYS.items() if document.get(field)), "")


def told(report: Report, *, json_wanted: bool = False) -> None:
    """Prints the report."""
    if json_wanted:
        print(json.dumps(as_json(report), indent=2, ensure_ascii=False))
        return
    for line in lines(report):
        print(painted(line, sys.stdout))


def execute(found: Clients, parts: stack.Stack, text: str) -> Report:
    """Starts an execution with ``text`` as its input and waits for its report."""
    if (size := len(text.encode())) > LONGEST:
        raise Usage(
            f"The input has {size:,} bytes; Step Functions takes at most {LONGEST:,}. Name fewer keys, or prefixes."
        )
    arn = executions.start(found, parts.state_machine, text)
    return executions.follow(found, arn, executions.title(arn))
