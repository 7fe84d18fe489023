"""verify: check on a real AWS what this repository claims (make verify)."""

import argparse
import subprocess
import sys

from local.client import target
from local.environment import ROOT

HELP = "check what this repository claims against a deployed stack: loads generated data and takes it out again"
EXAMPLES = (
    "loader verify --stack s3-redshift-loader",
    "loader verify --stack s3-redshift-loader --only preflight probes",
    "loader verify",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of ``python -m verify`` are passed on."""
    parser.epilog = (
        "All other options are passed on, such as --only, --minutes, --dollars, --clean, --yes: docs/verify.md, or\n"
        "python -m verify --help. It says what it will create and cost, and asks."
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 without a difference, 1 with one, 2 if it could not run."""
    name = arguments.stack or "local"
    return subprocess.run(
        [sys.executable, "-m", "verify", f"--stack={name}", *arguments.rest],
        cwd=ROOT,
        env=target.own_environment(arguments),
        check=False,
    ).returncode
