"""The deployed stack: its name from samconfig.toml or --stack, what it offers, from its outputs."""

import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from local.client.clients import Clients
from local.environment import ROOT
from local.problem import Problem

CONFIG_ENVIRONMENT = "local"
USABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
SERVING = (
    *USABLE,
    *("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"),
    *("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"),
)
"""It has its resources, and so its outputs, also while it is deployed again."""


@dataclass(frozen=True)
class Stack:
    """The outputs of the template that the command line works with."""

    name: str
    data_bucket: str
    work_bucket: str
    state_machine: str
    queue_url: str
    dead_letter_url: str


def stack_name(samconfig: Path = ROOT / "samconfig.toml") -> str:
    """The name of the stack of the environment ``local``."""
    try:
        settings = tomllib.loads(samconfig.read_text(encoding="utf-8"))
        for command in ("deploy", "global"):
            name = (
                settings[CONFIG_ENVIRONMENT]
                .get(command, {})
                .get("parameters", {})
                .get("stack_name")
            )
            if name:
                return str(name)
    except (FileNotFoundError, KeyError):
        pass
    raise Problem(
        f"{samconfig.name} does not name a stack. Set stack_name in [{CONFIG_ENVIRONMENT}.deploy.parameters]."
    )


def stack_status(clients: Clients, name: str) -> str | None:
    """CloudFormation's status of the stack, or None if there is no such stack."""
    try:
        return clients.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def name_of(clients: Clients) -> str:
    """The name of the target's stack: --stack's, or that of the local AWS."""
    return clients.target.stack or stack_name()


def paused(clients: Clients) -> bool:
    """Whether nothing loads by itself; ``auto`` is that for a bucket that was there before (template.yaml, Paused)."""
    said = clients.parameters.get("Paused", "false")
    return said == "true" or (said == "auto" and bool(clients.parameters.get("DataBucketName")))


def outputs(clients: Clients, name: str) -> dict[str, str]:
    """The stack's outputs by name; raises Problem if it is not deployed."""
    status = stack_status(clients, name)
    if status not in SERVING:
        raise Problem(
            f"The stack {name} is {status or 'not deployed'}. Deploy it: loader deploy{clients.target.suffix}"
        )
    found = clients.cloudformation.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in found}


EXPORTED = {
    "BUCKET": "DataBucketName",
    "WORK_BUCKET": "WorkBucketName",
    "STATE_MACHINE": "StateMachineArn",
    "QUEUE": "QueueUrl",
    "DEAD_LETTER_QUEUE": "DeadLetterQueueUrl",
    "TOPIC": "NotificationsTopicArn",
}
"""Shell variable -> output of the stack, as README.md and docs/operations.md use them."""


def export_lines(found: Mapping[str, str], name: str) -> list[str]:
    """Shell lines that export the stack's outputs, and its log group, under these names."""
    given = {short: found[output] for short, output in EXPORTED.items() if output in found}
    given["LOG_GROUP"] = f"/aws/lambda/{name}"
    return [f"export {short}={shlex.quote(value)}" for short, value in given.items()]


def deployed(clients: Clients) -> Stack:
    """The deployed stack; raises Problem if it is not, or lacks an output."""
    name = name_of(clients)
    found = outputs(clients, name)
    try:
        return Stack(
            name=name,
            data_bucket=found["DataBucketName"],
            work_bucket=found["WorkBucketName"],
            state_machine=found["StateMachineArn"],
            queue_url=found["QueueUrl"],
            dead_letter_url=found["DeadLetterQueueUrl"],
        )
    except KeyError as missing:
        raise Problem(
            f"The stack {name} has no output {missing}. If it is a stack of this repository, deploy it again: loader "
            f"deploy{clients.target.suffix}"
        ) from missing
