"""The stack's name is samconfig.toml's, and what is missing is said."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from local.client import stack
from local.client.clients import Clients
from local.problem import Problem

OUTPUTS = {
    "DataBucketName": "data",
    "WorkBucketName": "working",
    "StateMachineArn": "arn:machine",
    "QueueUrl": "http://queue",
    "DeadLetterQueueUrl": "http://dead",
}


def clients(status: str | None, outputs: dict[str, str]) -> Clients:
    def describe(StackName: str) -> dict[str, Any]:
        if status is None:
            answer: Any = {"Error": {"Code": "ValidationError", "Message": "It does not exist"}}
            raise ClientError(answer, "DescribeStacks")
        listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        return {"Stacks": [{"StackStatus": status, "Outputs": listed}]}

    target = SimpleNamespace(stack="", suffix="")
    cloudformation = SimpleNamespace(describe_stacks=describe)
    return cast(Clients, SimpleNamespace(cloudformation=cloudformation, target=target))


def test_the_repository_names_a_stack_for_the_local_aws() -> None:
    assert stack.stack_name() == "s3-redshift-loader-local"


@pytest.mark.parametrize("command", ["deploy", "global"])
def test_the_name_may_stand_for_deploy_or_for_all(tmp_path: Path, command: str) -> None:
    file = tmp_path / "samconfig.toml"
    file.write_text(f'[local.{command}.parameters]\nstack_name = "mine"\n')
    assert stack.stack_name(file) == "mine"


def test_no_name_is_a_problem_that_says_where(tmp_path: Path) -> None:
    file = tmp_path / "samconfig.toml"
    for content in ("version = 0.1\n", "[local.deploy.parameters]\n"):
        file.write_text(content)
        with pytest.raises(Problem, match=r"local\.deploy\.parameters"):
            stack.stack_name(file)
    with pytest.raises(Problem, match=r"samconfig\.toml"):
        stack.stack_name(tmp_path / "missing" / "samconfig.toml")


def test_the_outputs_of_a_deployed_stack() -> None:
    found = stack.deployed(clients("UPDATE_COMPLETE", OUTPUTS))
    assert (found.data_bucket, found.state_machine) == ("data", "arn:machine")


@pytest.mark.parametrize("status", [None, "ROLLBACK_COMPLETE", "CREATE_IN_PROGRESS"])
def test_a_stack_that_is_not_there_says_how_to_deploy(status: str | None) -> None:
    with pytest.raises(Problem, match="loader deploy"):
        stack.deployed(clients(status, OUTPUTS))


def test_a_missing_output_is_named() -> None:
    without = {key: value for key, value in OUTPUTS.items() if key != "QueueUrl"}
    with pytest.raises(Problem, match="QueueUrl"):
        stack.deployed(clients("CREATE_COMPLETE", without))
