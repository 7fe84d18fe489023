"""up: start the local AWS and the local Redshift in the background."""

import argparse
import sys

from local.aws import processes, services
from local.client import executions, stack
from local.client.clients import Clients
from local.environment import HOST, Ports, export_lines, ports, remember
from local.problem import Problem

HELP = "start the local AWS in the background and print shell lines that point the AWS CLI at it"

EVAL = 'eval "$(.venv/bin/loader up)"'
DEPLOY = ".venv/bin/loader deploy"
EXAMPLES = (EVAL,)
ONLY_HERE = "it starts the local AWS. A deployed stack is always up."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """The export lines go to stdout, the rest to stderr, so that a shell can eval the output."""
    at = ports()
    start(at)
    lines = export_lines(at, arguments.shell)
    found = Clients(at)
    name = stack.stack_name()
    if stack.stack_status(found, name) in stack.USABLE:
        lines += stack.export_lines(stack.outputs(found, name), name)
    else:
        _say(
            f"{name} is not deployed yet. Run {DEPLOY}, then this command again to also get $BUCKET and others"
        )
    if sys.stdout.isatty():
        _say("To set these variables in a shell:")
        _say(f"  {EVAL}")
    print("\n".join(lines))
    return 0


def start(at: Ports) -> None:
    """Starts what is not running yet and waits until it serves."""
    wait(at, begin(at))


def begin(at: Ports) -> set[str]:
    """Starts what is not running yet and saves the ports; returns the names of the services that it started."""
    started = set()
    for service in services.both(at):
        pid = processes.running(service)
        if pid is None:
            processes.start(service, services.environ(at))
            started.add(service.name)
        elif (port := processes.port_of(pid)) != service.port:
            raise Problem(
                f"{service.name} is already running on port {port}. Stop it (make down), or set"
                f" LOCAL_AWS_PORT and LOCAL_REDSHIFT_PORT to their previous values (or unset them)."
            )
    remember(at)
    return started


def wait(at: Ports, started: set[str]) -> None:
    """Waits until both serve."""
    for service in services.both(at):
        processes.wait_until_healthy(service)
        if service.name in started:
            ports_ = ", ".join(f"{HOST}:{each}" for each in (service.port, *service.other_ports))
            _say(f"{service.name}: up on {ports_}, log {service.log}")
            if service.port == at.aws:
                _end_interrupted(at)
        else:
            _say(f"{service.name}: already up on {HOST}:{service.port}")


def _end_interrupted(at: Ports) -> None:
    """Stops the executions that were running when the local AWS was stopped: nothing continues them."""
    found = Clients(at)
    name = stack.stack_name()
    if stack.stack_status(found, name) in stack.USABLE:
        machine = stack.deployed(found).state_machine
        if count := executions.stop_all(
            found, machine, "the local AWS was stopped in the meantime"
        ):
            _say(f"{count} executions were interrupted when it was stopped")


def _say(line: str) -> None:
    print(line, file=sys.stderr)
