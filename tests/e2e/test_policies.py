"""The deployed roles allow what the functions do, and nothing allows it but their statements: without one, it fails.

Every action and resource, both ways: tests/faults/test_policies.py. MiniStack asks no policy where the state machine
calls a function, and the Data API is not MiniStack's here.
"""

import contextlib
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from local.generator import DataSet
from tests.world.deployed import Project

LOGS = {
    key: content
    for key, content in DataSet(songs=1, users=2, days=1, events=5, seed=6).files()
    if key.startswith("log_data/")
}


@contextlib.contextmanager
def without(project: Project, role: str, action: str) -> Iterator[None]:
    """The role (its name in the template) as it is, but for the statements that allow the action."""
    iam, removed = project.client("iam"), 0
    resources = project.clients.cloudformation.describe_stack_resources(
        StackName="s3-redshift-loader-local"
    )["StackResources"]
    (name,) = [r["PhysicalResourceId"] for r in resources if r["LogicalResourceId"] == role]
    before = {}
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        kept = [s for s in document["Statement"] if action not in actions_of(s)]
        removed += len(document["Statement"]) - len(kept)
        before[policy] = json.dumps(document)
        changed = json.dumps({**document, "Statement": kept})
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=changed)
    assert removed == 1, f"{role} has {removed} statements that allow {action}"
    try:
        yield
    finally:
        for policy, text in before.items():
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=text)


def actions_of(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def answer_of(project: Project, function: str, payload: Any) -> str:
    """What an invocation ends with, as text."""
    answer = project.client("lambda").invoke(
        FunctionName=project.function(function), Payload=json.dumps(payload).encode()
    )
    payload_text: str = answer["Payload"].read().decode()
    return str(answer.get("FunctionError", "")) + payload_text


def plan(project: Project, document: Any) -> dict[str, Any]:
    """What the state machine gives to the plan step."""
    execution = project.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:")
    return {
        "input": document,
        "execution": f"{execution}:{uuid.uuid4()}",
        "started": "2026-11-24T00:00:00Z",
        "load": {},
    }


@pytest.mark.parametrize(
    ("role", "action", "function", "document"),
    [
        ("LoaderRole", "s3:PutObject", "PlanFunction", {}),
        ("LoaderRole", "s3:GetBucketNotification", "PlanFunction", {}),
        ("SweepRole", "states:StartExecution", "SweepFunction", None),
        ("WidgetRole", "s3:ListBucket", "WidgetFunction", None),
    ],
    ids=["documents of a load", "the bucket's list", "executions of the sweep", "the history"],
)
def test_a_function_may_not_without_its_statement(
    warehouse: Project, role: str, action: str, function: str, document: Any
) -> None:
    with warehouse.no_events():
        warehouse.put(LOGS)
    payload = {} if document is None else plan(warehouse, document)
    with without(warehouse, role, action):
        told = answer_of(warehouse, function, payload)
        assert "AccessDenied" in told or "not authorized" in told, told
    told = answer_of(warehouse, function, payload)
    assert "AccessDenied" not in told, told
    warehouse.settle()


def test_uploads_start_no_load_without_the_triggers_statement(warehouse: Project) -> None:
    """And none is lost: the sweep loads them."""
    with warehouse.no_events():
        warehouse.put(LOGS)
    key, body = next(iter(LOGS.items()))
    event = {
        "time": "2026-11-24T00:00:00Z",
        "detail": {
            "bucket": {"name": warehouse.bucket},
            "object": {"key": key, "size": len(body), "etag": "x", "sequencer": "0"},
        },
    }
    record = {"messageId": "1", "body": json.dumps(event)}
    before = len(warehouse.executions())
    with without(warehouse, "TriggerRole", "states:StartExecution"):
        told = answer_of(warehouse, "TriggerFunction", {"Records": [record]})
        assert "AccessDenied" in told or "not authorized" in told, told
    assert len(warehouse.executions()) == before
    warehouse.invoke("SweepFunction", {})
    warehouse.settle()
    assert {status for status, *_ in warehouse.ledger().values()} == {"loaded"}
