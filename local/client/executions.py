"""Executions of the state machine: start, find, follow, stop."""

import hashlib
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from local.client import rights
from local.client.clients import Clients
from local.problem import Problem
from local.show.progress import Progress
from local.show.report import Report, report_of


def start(clients: Clients, state_machine: str, text: str) -> str:
    """Starts an execution with ``text`` as its input; returns its ARN."""
    try:
        answer = clients.states.start_execution(stateMachineArn=state_machine, input=text)
    except ClientError as error:
        if rights.missing(error) or rights.is_expired(error):
            raise
        raise Problem(
            f"The execution could not be started: {error.response['Error']['Message']}"
        ) from error
    return answer["executionArn"]


def describe(clients: Clients, arn: str) -> Mapping[str, Any]:
    """The response of DescribeExecution."""
    return clients.states.describe_execution(executionArn=arn)


def arn_of(state_machine: str, name: str) -> str:
    """The ARN of the execution of that name."""
    return f"{state_machine.replace(':stateMachine:', ':execution:')}:{name}"


def of_load(clients: Clients, state_machine: str, load_id: str) -> str | None:
    """The ARN of a load's execution: a load id ends with a digest of it (functions/loader/keys.py)."""
    digest = load_id.rpartition("-")[2]
    return next(
        (
            arn
            for arn in arns(clients, state_machine, since=_start(load_id))
            if hashlib.sha256(arn.encode()).hexdigest()[:8] == digest
        ),
        None,
    )


def _start(load_id: str) -> datetime | None:
    """When a load's execution was started, by its id; None if it is no load id."""
    try:
        return datetime.strptime(load_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def arns(
    clients: Clients, state_machine: str, status: str | None = None, since: datetime | None = None
) -> Iterator[str]:
    """The ARNs of the state machine's executions, newest first; all, or those of one status, or those that were
    started at this time or later.
    """
    pages = clients.states.get_paginator("list_executions")
    wanted: dict[str, Any] = {"stateMachineArn": state_machine}
    if status:
        wanted["statusFilter"] = status
    for page in pages.paginate(**wanted):
        for execution in page["executions"]:
            if since and execution["startDate"] < since:
                return
            yield execution["executionArn"]


def newest(clients: Clients, state_machine: str) -> datetime | None:
    """When the newest execution was started; None if there is none."""
    found = clients.states.list_executions(stateMachineArn=state_machine, maxResults=1)
    return next((each["startDate"] for each in found["executions"]), None)


def follow(clients: Clients, arn: str, title: str) -> Report:
    """Waits for an execution to end, shows the states it enters, and returns its report."""
    with Progress(title) as progress:
        while True:
            execution = describe(clients, arn)
            if execution["status"] != "RUNNING":
                return report_of(execution)
            progress.show(f"{_state(clients, arn)}, {progress.seconds:.0f} s")
            time.sleep(min(clients.target.look_seconds, 2.0))


def title(arn: str) -> str:
    """The title of its progress line, short enough for the state to fit beside it."""
    return f"execution {arn.rpartition(':')[2][:12]}"


def _state(clients: Clients, arn: str) -> str:
    """The last state that an execution entered; without the right to read its history, that it is running."""
    try:
        history = clients.states.get_execution_history(
            executionArn=arn, reverseOrder=True, maxResults=100
        )
    except ClientError as error:
        if rights.missing(error):
            return "running"
        raise
    for event in history["events"]:
        if event["type"].endswith("StateEntered"):
            return event["stateEnteredEventDetails"]["name"]
    return "starting"


def stop_all(clients: Clients, state_machine: str, cause: str) -> int:
    """Stops every running execution; returns how many there were."""
    found = list(arns(clients, state_machine, "RUNNING"))
    for arn in found:
        clients.states.stop_execution(executionArn=arn, error="Stopped", cause=cause)
    return len(found)
