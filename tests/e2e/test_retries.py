"""What the deployed state machine retries: final errors are reported at once, all others are tried again.

Sources: states-language.net/spec.html, "Retrying after error", whose example has a retrier with MaxAttempts 0 ahead of
States.ALL; docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html, "Error names". MiniStack gives
every exception of a handler as Runtime.HandlerError; local/aws/ministack/behaviour.py gives it its class name, as
AWS does, and local/aws/ministack/executions.py has States.DataLimitExceeded.
"""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from local.generator import DataSet
from tests.world.deployed import END_SECONDS, Project

RAISES = """
def handler(event, context):
    if event["error"] == "States.DataLimitExceeded":
        return "x" * 300_000
    raise type(event["error"], (Exception,), {})("on purpose")
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}
INVOKES = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}],
}


def errors_of(warehouse: Project, execution: str) -> list[str]:
    """The errors of the calls that failed."""
    history = warehouse.clients.states.get_execution_history(executionArn=execution, maxResults=500)
    return [
        event["taskFailedEventDetails"]["error"]
        for event in history["events"]
        if event["type"] == "TaskFailed"
    ]


def status_of(warehouse: Project, execution: str) -> str:
    """The execution's status at its end."""
    deadline = time.monotonic() + END_SECONDS
    while time.monotonic() < deadline:
        status = warehouse.clients.states.describe_execution(executionArn=execution)["status"]
        if status != "RUNNING":
            return status
        time.sleep(0.2)
    raise AssertionError(f"{execution} is still running")


@pytest.fixture
def retries(warehouse: Project) -> list[dict[str, Any]]:
    """The Retry of a step, as it is deployed."""
    machine = warehouse.clients.states.describe_state_machine(
        stateMachineArn=warehouse.outputs["StateMachineArn"]
    )
    found: list[dict[str, Any]] = json.loads(machine["definition"])["States"]["Plan"]["Retry"]
    return found


@pytest.fixture
def raises(warehouse: Project, retries: list[dict[str, Any]]) -> Iterator[str]:
    """A state machine whose one step raises the error of its input, with these retriers; it waits a second, once."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("index.py", RAISES)
    functions, states, iam = (warehouse.client(name) for name in ("lambda", "stepfunctions", "iam"))
    role = iam.create_role(RoleName="raises", AssumeRolePolicyDocument=json.dumps(TRUST))
    role = role["Role"]["Arn"]
    iam.put_role_policy(RoleName="raises", PolicyName="invokes", PolicyDocument=json.dumps(INVOKES))
    functions.create_function(
        FunctionName="raises",
        Runtime="python3.13",
        Role=role,
        Handler="index.handler",
        Code={"ZipFile": code.getvalue()},
    )
    *final, others = retries
    step = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "raises", "Payload": "{% $states.input %}"},
        "Retry": [*final, {**others, "IntervalSeconds": 1, "MaxAttempts": 1}],
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Raise", "States": {"Raise": step}}
    machine = states.create_state_machine(
        name="raises", definition=json.dumps(definition), roleArn=role
    )["stateMachineArn"]
    yield machine
    states.delete_state_machine(stateMachineArn=machine)
    functions.delete_function(FunctionName="raises")
    iam.delete_role_policy(RoleName="raises", PolicyName="invokes")
    iam.delete_role(RoleName="raises")


def test_a_final_error_is_raised_once_and_any_other_is_tried_again(
    warehouse: Project, raises: str, retries: list[dict[str, Any]]
) -> None:
    final = {error for retrier in retries[:-1] for error in retrier["ErrorEquals"]}
    assert {"StatementFailed", "TimeoutError", "States.DataLimitExceeded"} <= final
    others = {"KeyError", "ClientError", "ActiveStatementsExceededException"}
    started = {
        error: warehouse.clients.states.start_execution(
            stateMachineArn=raises, input=json.dumps({"error": error})
        )["executionArn"]
        for error in sorted(final | others)
    }
    for error, execution in started.items():
        assert status_of(warehouse, execution) == "FAILED"
        assert errors_of(warehouse, execution) == [error] * (1 if error in final else 2)


def test_a_statement_that_fails_fails_the_load_at_once(warehouse: Project) -> None:
    warehouse.fault(kind="fail", sql="LIKE sparkify_loader.file_plan", message="ERROR: Assert")
    with warehouse.no_events():
        warehouse.put(dict(DataSet(songs=1, users=1, days=1, events=5, seed=22).files()))
    execution = warehouse.begin({})
    status, report = warehouse.ended(execution)
    assert status == "FAILED"
    assert errors_of(warehouse, execution) == ["StatementFailed"]
    assert report["cause"].startswith("StatementFailed: ")
    assert "ERROR: Assert" in report["cause"]
