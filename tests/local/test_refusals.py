"""The local AWS refuses what AWS refuses, over its API and in stacks. Evidence: local/aws/ministack/__init__.py."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.client.clients import Clients
from local.client.objects import empty
from local.environment import HOST, REGION
from tests.world.product import DEFINITION, FUNCTIONS, PARAMETERS, ROOT

ROLE = "arn:aws:iam::000000000000:role/any"
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
PASS = {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}}
LIMIT = 262_144
SERVER_SECONDS = 60

Client = Callable[[str], Any]

pytestmark = pytest.mark.xdist_group("local-refusals")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Clients of a local AWS of its own, by the service's name."""
    folder = tmp_path_factory.mktemp("aws")
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-m", "local.aws.server", "--port", str(port)]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--data", str(folder / "data")],
            cwd=ROOT,
            env=kept,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://{HOST}:{port}"
        until(lambda: is_up(f"{url}/_ministack/health"), (folder / "server.log"))
        clients = cache(
            lambda service: boto3.client(
                service,
                endpoint_url=url,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, proxies={}),
            )
        )
        clients("iam").create_role(RoleName="any", AssumeRolePolicyDocument=json.dumps(TRUST))
        yield clients
    finally:
        server.terminate()
        server.wait(SERVER_SECONDS)


def is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own server
            return True
    except OSError:
        return False


def until(true: Callable[[], Any], log: Path | None = None) -> None:
    deadline = time.monotonic() + SERVER_SECONDS
    while not true():
        assert time.monotonic() < deadline, log.read_text() if log else ""
        time.sleep(0.05)


def refused(call: Callable[..., Any], *given: Any, **named: Any) -> tuple[str, str]:
    """Code and message of the refusal."""
    with pytest.raises(ClientError) as caught:
        call(*given, **named)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


names = iter(range(10**6))


def made(local: Client, definition: Any) -> str:
    """A state machine of this definition; its ARN."""
    text = definition if isinstance(definition, str) else json.dumps(definition)
    answer = local("stepfunctions").create_state_machine(
        name=f"m{next(names)}", definition=text, roleArn=ROLE
    )
    arn: str = answer["stateMachineArn"]
    return arn


def ran(local: Client, definition: Any, document: Any = None) -> dict[str, Any]:
    """DescribeExecution of an execution that has ended."""
    states = local("stepfunctions")
    arn = states.start_execution(
        stateMachineArn=made(local, definition), input=json.dumps(document or {})
    )["executionArn"]
    until(lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING")
    described: dict[str, Any] = states.describe_execution(executionArn=arn)
    return described


def machine(states: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **more}


# ---------------------------------------------------------------- executions
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"dry_run": true,}', ""),
        ("not json", ""),
        ("{'dry_run': true}", ""),
        ('{"dry_run": true} // note', ""),
        ("\N{ZERO WIDTH NO-BREAK SPACE}{}", ""),
        ("\N{LEFT DOUBLE QUOTATION MARK}x\N{RIGHT DOUBLE QUOTATION MARK}", ""),
        ('{"a": NaN}', ""),
        ("{'dry_run': true}".replace("'", "\N{RIGHT DOUBLE QUOTATION MARK}"), ""),
        ('{"dry_run": true} {}', ""),
        ('{"a": "two\nlines"}', ""),
        ("[" * 100_000, ""),
        (" \n", "Invalid State Machine Execution Input: 'Invalid execution input.'"),
        ("", "Invalid State Machine Execution Input: 'Invalid execution input.'"),
    ],
)
def test_an_input_that_is_no_json_is_refused(local: Client, text: str, says: str) -> None:
    states = local("stepfunctions")
    arn = made(local, PASS)
    code, message = refused(states.start_execution, stateMachineArn=arn, input=text)
    assert code == "InvalidExecutionInput"
    assert message.startswith(says or "Invalid State Machine Execution Input: '")
    assert states.list_executions(stateMachineArn=arn)["executions"] == []


@pytest.mark.parametrize("text", ["1", '"text"', "[]", "null", " {} "])
def test_any_json_is_an_input(local: Client, text: str) -> None:
    local("stepfunctions").start_execution(stateMachineArn=made(local, PASS), input=text)


def test_without_an_input_it_is_an_empty_object(local: Client) -> None:
    states = local("stepfunctions")
    arn = states.start_execution(stateMachineArn=made(local, PASS))["executionArn"]
    assert states.describe_execution(executionArn=arn)["input"] == "{}"


def test_a_repeated_start_is_answered_as_the_first_while_it_runs(local: Client) -> None:
    states = local("stepfunctions")
    waits = machine({"W": {"Type": "Wait", "Seconds": 30, "End": True}})
    again = {"stateMachineArn": made(local, waits), "name": "one", "input": '{"a": 1}'}
    first = states.start_execution(**again)
    second = states.start_execution(**again)
    assert second["executionArn"] == first["executionArn"]
    assert second["startDate"] == first["startDate"]
    exists = ("ExecutionAlreadyExists", f"Execution Already Exists: '{first['executionArn']}'")
    assert refused(states.start_execution, **{**again, "input": '{"a": 2}'}) == exists
    states.stop_execution(executionArn=first["executionArn"])
    assert refused(states.start_execution, **again) == exists


@pytest.mark.parametrize(
    ("name", "code"),
    [("a b", "InvalidName"), ("a/b", "InvalidName"), ("x" * 81, "ValidationException")],
)
def test_a_name_that_no_execution_has(local: Client, name: str, code: str) -> None:
    start = local("stepfunctions").start_execution
    assert refused(start, stateMachineArn=made(local, PASS), name=name)[0] == code


def big(letters: int) -> str:
    """An expression whose value is so long."""
    return f"{{% $pad('', {letters}, 'x') %}}"


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "Output": big(LIMIT)},
        {"Type": "Pass", "Assign": {"a": big(LIMIT // 2), "b": big(LIMIT // 2)}},
        {
            "Type": "Map",
            "Items": [1, 2],
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "In",
                "States": {"In": {"Type": "Pass", "Output": big(LIMIT // 2), "End": True}},
            },
        },
    ],
)
def test_a_payload_that_is_too_large_fails_the_execution(
    local: Client, state: dict[str, Any]
) -> None:
    ended = ran(local, machine({"State_1": {**state, "End": True}}))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")
    assert ended["cause"] == (
        "The state/task 'State_1' returned a result with a size exceeding the maximum number of "
        "bytes service limit."
    )
    assert "output" not in ended


def test_the_largest_payload_passes(local: Client) -> None:
    ended = ran(local, machine({"X": {"Type": "Pass", "Output": big(LIMIT - 2), "End": True}}))
    assert ended["status"] == "SUCCEEDED"


def test_states_all_takes_what_a_task_passes_on_too_large(local: Client) -> None:
    """Its arguments; of a result, tests/local/test_ministack.py."""
    states = {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "f", "Payload": big(LIMIT)},
            "Catch": [
                {
                    "ErrorEquals": ["States.ALL"],
                    "Output": "{% $states.errorOutput.Error %}",
                    "Next": "Z",
                }
            ],
            "End": True,
        },
        "Z": {"Type": "Pass", "End": True},
    }
    ended = ran(local, machine(states))
    assert (ended["status"], ended["output"]) == ("SUCCEEDED", '"States.DataLimitExceeded"')


def test_the_time_of_a_machine_ends(local: Client) -> None:
    states = {
        "Wait": {"Type": "Wait", "Seconds": 2, "Next": "Never"},
        "Never": {"Type": "Pass", "End": True},
    }
    ended = ran(local, machine(states, TimeoutSeconds=1))
    assert (ended["status"], ended["redriveStatus"]) == ("TIMED_OUT", "REDRIVABLE")
    assert not {"error", "cause", "output"} & ended.keys()
    over = ended["startDate"].timestamp() + 2.5  # the state that waits has ended
    time.sleep(max(0.0, over - time.time()))
    history = local("stepfunctions").get_execution_history(executionArn=ended["executionArn"])
    kinds = [event["type"] for event in history["events"]]
    assert kinds[-1] == "ExecutionTimedOut" or "PassStateEntered" not in kinds
    arn = ended["executionArn"]
    assert local("stepfunctions").describe_execution(executionArn=arn)["status"] == "TIMED_OUT"


def test_a_resource_of_another_partition_ends_the_execution(local: Client) -> None:
    """Nothing takes States.Runtime."""
    ask = {
        "Type": "Task",
        "Resource": "arn:aws-us-gov:states:::lambda:invoke",
        "Arguments": {"FunctionName": "f"},
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z"}],
        "End": True,
    }
    ended = ran(local, machine({"Ask": ask, "Z": {"Type": "Pass", "End": True}}))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert ended["cause"].endswith(
        "The resource belongs to a different partition from the running execution. Expected 'aws', "
        "was 'aws-us-gov'."
    )


# ---------------------------------------------------------------- definitions
REQUIRED = (
    "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: "
)
TASK = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
WRONG: dict[str, tuple[Any, str]] = {
    "no states": ({"StartAt": "One"}, REQUIRED + "[States] at /'"),
    "no start": ({"States": PASS["States"]}, REQUIRED + "[StartAt] at /'"),
    "nothing": ({}, REQUIRED + "[States, StartAt] at /'"),
    "no json": ("not a definition", "Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION"),
    "no such start": ({**PASS, "StartAt": "Two"}, "Two"),
    "neither Next nor End": (machine({"X": {"Type": "Pass"}}), "X"),
    "no such state": (machine({"X": {"Type": "Pass", "Next": "Y"}}), "Y"),
    "no such type": (machine({"X": {"Type": "Do", "End": True}}), "Do"),
    "no such field": (machine({"X": {"Type": "Pass", "Outputs": 1, "End": True}}), "Outputs"),
    "of the other language": (
        machine({"X": {**TASK, "Parameters": {}, "Arguments": {}}}),
        "Parameters",
    ),
    "a state of the other language": (
        machine({"X": {"Type": "Pass", "QueryLanguage": "JSONPath", "End": True}}),
        "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine at",
    ),
    "no expression": (machine({"X": {"Type": "Pass", "Output": "{% $( %}", "End": True}}), "X"),
    "States.ALL before others": (
        machine(
            {
                "X": {
                    **TASK,
                    "Catch": [
                        {"ErrorEquals": [error], "Next": "X"} for error in ("States.ALL", "E")
                    ],
                }
            }
        ),
        "States.ALL can only appear in the last element",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_definition_is_refused(local: Client, case: str) -> None:
    definition, says = WRONG[case]
    states = local("stepfunctions")
    text = definition if isinstance(definition, str) else json.dumps(definition)
    code, message = refused(states.create_state_machine, name="x", definition=text, roleArn=ROLE)
    assert code == "InvalidDefinition"
    assert says in message
    assert refused(
        states.update_state_machine, stateMachineArn=made(local, PASS), definition=text
    ) == (code, message)
    checked = states.validate_state_machine_definition(definition=text)
    assert (checked["result"], len(checked["diagnostics"])) == ("FAIL", 1)
    properties = {"StateMachineName": "y", "RoleArn": ROLE, "DefinitionString": text}
    assert says in stack_failed(local, "AWS::StepFunctions::StateMachine", properties)


def test_the_product_s_definition_is_taken(local: Client) -> None:
    text = json.dumps(DEFINITION)
    for name in FUNCTIONS:
        value = f"arn:aws:lambda:us-west-2:123456789012:function:{name}"
        text = text.replace(f"${{{name}}}", "aws" if name == "Partition" else value)
    made(local, text)
    assert local("stepfunctions").validate_state_machine_definition(definition=text) | {
        "ResponseMetadata": {}
    } == {"result": "OK", "diagnostics": [], "truncated": False, "ResponseMetadata": {}}


# ---------------------------------------------------------------- stacks
def stack(local: Client, resources: dict[str, Any], name: str = "") -> dict[str, Any]:
    """Creates a stack; what it ended as, with ``reasons``: why its resources failed."""
    formation = local("cloudformation")
    name = name or f"s{next(names)}"
    formation.create_stack(
        StackName=name,
        TemplateBody=json.dumps({"Resources": resources}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )

    def described() -> dict[str, Any]:
        [found] = formation.describe_stacks(StackName=name)["Stacks"]
        return dict(found)

    until(lambda: not described()["StackStatus"].endswith("IN_PROGRESS"))
    events = formation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    return {
        **described(),
        "reasons": " ".join(event.get("ResourceStatusReason", "") for event in failed),
    }


def stack_failed(local: Client, kind: str, properties: dict[str, Any]) -> str:
    """Why a stack of this one resource is refused."""
    ended = stack(local, {"Thing": {"Type": kind, "Properties": properties}})
    assert ended["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED"), ended
    reasons: str = ended["reasons"]
    return reasons


TARGET = {"Arn": "arn:aws:lambda:us-west-2:000000000000:function:f", "RoleArn": ROLE}
NAMED: dict[str, dict[str, Any]] = {
    "AWS::Scheduler::Schedule": {
        "Name": "fixed",
        "ScheduleExpression": "rate(1 hour)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": TARGET,
    },
    "AWS::IAM::Role": {"RoleName": "fixed", "AssumeRolePolicyDocument": TRUST},
    "AWS::CloudWatch::Dashboard": {"DashboardName": "fixed", "DashboardBody": '{"widgets": []}'},
    "AWS::Logs::LogGroup": {"LogGroupName": "fixed"},
    "AWS::StepFunctions::StateMachine": {
        "StateMachineName": "fixed",
        "RoleArn": ROLE,
        "DefinitionString": json.dumps(PASS),
    },
    "AWS::CloudWatch::Alarm": {
        "AlarmName": "fixed",
        "Namespace": "N",
        "MetricName": "M",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    },
}


@pytest.mark.parametrize("kind", NAMED)
def test_a_second_stack_does_not_take_what_the_first_has(local: Client, kind: str) -> None:
    resources = {"Thing": {"Type": kind, "Properties": NAMED[kind]}}
    first = stack(local, resources)
    assert first["StackStatus"] == "CREATE_COMPLETE", first
    reason = stack_failed(local, kind, NAMED[kind])
    assert f"fixed already exists in stack {first['StackId']}" in reason
    formation = local("cloudformation")
    formation.delete_stack(StackName=first["StackName"])
    until(
        lambda: (
            formation.describe_stacks(StackName=first["StackId"])["Stacks"][0]["StackStatus"]
            == "DELETE_COMPLETE"
        )
    )
    assert stack(local, resources)["StackStatus"] == "CREATE_COMPLETE"


def test_a_stack_does_not_take_what_no_stack_made(local: Client) -> None:
    local("iam").create_role(RoleName="by-hand", AssumeRolePolicyDocument=json.dumps(TRUST))
    properties = {"RoleName": "by-hand", "AssumeRolePolicyDocument": TRUST}
    reason = stack_failed(local, "AWS::IAM::Role", properties)
    assert "'AWS::IAM::Role' with identifier 'by-hand' already exists" in reason


@pytest.mark.parametrize(
    ("kind", "properties", "says"),
    [
        ("AWS::IAM::Role", {"AssumeRolePolicyDocument": TRUST, "RoleNames": "x"}, "RoleNames"),
        ("AWS::IAM::Role", {"RoleName": "x"}, "AssumeRolePolicyDocument"),
        ("AWS::Logs::LogGroup", {"RetentionInDays": 31}, "#/RetentionInDays"),
        ("AWS::Logs::LogGroup", {"RetentionInDays": "30"}, ""),
        ("AWS::SQS::Queue", {"VisibilityTimeout": "long"}, "#/VisibilityTimeout"),
        (
            "AWS::Scheduler::Schedule",
            {**NAMED["AWS::Scheduler::Schedule"], "Name": "x" * 65},
            "#/Name",
        ),
        (
            "AWS::Scheduler::Schedule",
            {**NAMED["AWS::Scheduler::Schedule"], "Name": "two words"},
            "#/Name",
        ),
    ],
)
def test_the_properties_of_a_stack_s_resource_are_checked(
    local: Client, kind: str, properties: dict[str, Any], says: str
) -> None:
    resources = {"Thing": {"Type": kind, "Properties": properties}}
    if not says:
        assert stack(local, resources)["StackStatus"] == "CREATE_COMPLETE"
        return
    reason = stack_failed(local, kind, properties)
    assert "Model validation failed" in reason
    assert says in reason


def queries(metrics: int) -> list[dict[str, Any]]:
    metric = {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}
    return [
        {"Id": "all", "Expression": "SUM(METRICS())", "ReturnData": True},
        *({"Id": f"m{n}", "ReturnData": False, "MetricStat": metric} for n in range(metrics)),
    ]


def function(size: int) -> dict[str, Any]:
    return {
        "Role": ROLE,
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Code": {"ZipFile": "def handler(event, context): pass"},
        "Environment": {"Variables": {"AB": "x" * (size - 2)}},
    }


def role(size: int) -> dict[str, Any]:
    """With an inline policy of so many characters, not counting blanks."""
    document = {"Version": "2012-10-17", "Statement": [{"Sid": ""}]}
    document["Statement"] = [{"Sid": "x" * (size - len(json.dumps(document).replace(" ", "")))}]
    policies = [{"PolicyName": "p", "PolicyDocument": document}]
    return {"AssumeRolePolicyDocument": TRUST, "Policies": policies}


ALARM = {
    name: value
    for name, value in NAMED["AWS::CloudWatch::Alarm"].items()
    if name not in ("Namespace", "MetricName", "Statistic", "Period")
}


@pytest.mark.parametrize(
    ("kind", "properties", "says"),
    [
        ("AWS::CloudWatch::Alarm", {**ALARM, "AlarmName": "m10", "Metrics": queries(10)}, ""),
        (
            "AWS::CloudWatch::Alarm",
            {**ALARM, "AlarmName": "m11", "Metrics": queries(11)},
            "10 metrics",
        ),
        ("AWS::Lambda::Function", function(4096), ""),
        ("AWS::Lambda::Function", function(4097), "exceeded the 4KB limit"),
        ("AWS::IAM::Role", role(10_240), ""),
        ("AWS::IAM::Role", role(10_241), "Maximum policy size of 10240 bytes exceeded"),
        (
            "AWS::CloudWatch::Dashboard",
            {"DashboardName": "d", "DashboardBody": '{"widgets": [}'},
            "The dashboard body is invalid",
        ),
        (
            "AWS::CloudWatch::Dashboard",
            {"DashboardName": "d", "DashboardBody": '{"widgets": [{"type": "metric"}]}'},
            "The dashboard body is invalid",
        ),
    ],
)
def test_limits_of_a_stack_s_resources(
    local: Client, kind: str, properties: dict[str, Any], says: str
) -> None:
    if not says:
        ended = stack(local, {"Thing": {"Type": kind, "Properties": properties}})
        assert ended["StackStatus"] == "CREATE_COMPLETE", ended["reasons"]
        return
    assert says in stack_failed(local, kind, properties)


@pytest.mark.parametrize("prefix", ["", "log_data/", "a/dt=1/", "log_data/*", "*", "a b/", "/a/"])
def test_a_prefix_that_no_key_has_or_that_is_a_pattern_is_refused_at_deployment(
    local: Client, prefix: str
) -> None:
    """In an IAM policy a star in it would be any text; EventBridge would take it literally."""
    allowed = PARAMETERS["DataPrefix"]["AllowedPattern"]
    template = {
        "Parameters": {"P": {"Type": "String", "AllowedPattern": allowed}},
        "Resources": {"Thing": {"Type": "AWS::SQS::Queue"}},
    }
    given: dict[str, Any] = {
        "StackName": f"s{next(names)}",
        "TemplateBody": json.dumps(template),
        "Parameters": [{"ParameterKey": "P", "ParameterValue": prefix}],
    }
    create = local("cloudformation").create_stack
    if prefix in ("", "log_data/", "a/dt=1/"):
        create(**given)
        return
    assert refused(create, **given)[0] == "ValidationError"


# ---------------------------------------------------------------- event patterns
@pytest.mark.parametrize(
    ("wildcard", "says"),
    [
        ("log_data/**.json", "Consecutive wildcard characters at pos 10"),
        ("*:*:*:*:*:event-bus/*", "Rule is too complex"),
        ("log_data/*.json", ""),
        (r"\*\*\*\*\*\*\*.json", ""),  # these are no wildcards
    ],
)
def test_wildcards_that_eventbridge_refuses(local: Client, wildcard: str, says: str) -> None:
    pattern = {"detail": {"object": {"key": [{"wildcard": wildcard}]}}}
    rule = {"Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern}}}
    put = local("events").put_rule
    if not says:
        put(Name="fine", EventPattern=json.dumps(pattern))
        assert stack(local, rule)["StackStatus"] == "CREATE_COMPLETE"
        return
    code, message = refused(put, Name="bad", EventPattern=json.dumps(pattern))
    assert code == "InvalidEventPatternException"
    assert says in message
    assert says in stack(local, rule)["reasons"]


# ---------------------------------------------------------------- queues
def statement(**more: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "arn:aws:sqs:us-west-2:000000000000:q",
        **more,
    }


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


SQS_ACTIONS = [f"sqs:{name}" for name in ("SendMessage", "ReceiveMessage", "DeleteMessage")] + [
    f"sqs:Get{n}" for n in range(5)
]
POLICIES: list[tuple[Any, str]] = [
    (policy(statement(Resource=["arn:aws:sqs:us-west-2:000000000000:q", "arn:q2"])), "Policy."),
    (
        policy(statement(Action=SQS_ACTIONS)),
        "8 actions were found in a statement from the submitted policy, max allowed is 7",
    ),
    (policy(*[statement()] * 21), "Policy."),
    (policy(statement(Principal={"AWS": [f"{n:012}" for n in range(51)]})), "Policy."),
    (policy(statement(Sid="x" * 9000)), "Policy."),
    (
        policy(statement(Condition={"StringEquals": {f"aws:k{n}": "v" for n in range(11)}})),
        "Policy.",
    ),
    (policy(statement(Resource=["arn:aws:sqs:us-west-2:000000000000:q"])), ""),
    (policy(statement(Action=SQS_ACTIONS[:7]), statement()), ""),
]


@pytest.mark.parametrize(("document", "says"), POLICIES)
def test_policies_that_sqs_refuses(local: Client, document: Any, says: str) -> None:
    queues = local("sqs")
    url = queues.create_queue(QueueName=f"q{next(names)}")["QueueUrl"]
    attributes = {"Policy": json.dumps(document)}
    properties = {"Queues": [url], "PolicyDocument": document}
    resources = {"Thing": {"Type": "AWS::SQS::QueuePolicy", "Properties": properties}}
    if not says:
        queues.set_queue_attributes(QueueUrl=url, Attributes=attributes)
        assert stack(local, resources)["StackStatus"] == "CREATE_COMPLETE"
        return
    code, message = refused(queues.set_queue_attributes, QueueUrl=url, Attributes=attributes)
    assert code == "InvalidAttributeValue"
    assert message.startswith("Invalid value for the parameter Policy.")
    assert says in message
    assert says in stack(local, resources)["reasons"]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            {"BatchSize": 11},
            (
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is "
                "greater than 10"
            ),
        ),
        ({"BatchSize": 10}, ""),
        ({"BatchSize": 1000, "MaximumBatchingWindowInSeconds": 1}, ""),
        (
            {"VisibilityTimeout": "2"},
            "Queue visibility timeout: 2 seconds is less than Function timeout: 3 seconds",
        ),
    ],
)
def test_event_sources_that_lambda_refuses(
    local: Client, source: dict[str, Any], says: str
) -> None:
    number = next(names)
    visible = {name: value for name, value in source.items() if name == "VisibilityTimeout"}
    source = {name: value for name, value in source.items() if name not in visible}
    functions, queues = local("lambda"), local("sqs")
    functions.create_function(
        FunctionName=f"f{number}",
        Role=ROLE,
        Runtime="python3.13",
        Handler="index.handler",
        Code={"ZipFile": empty_zip()},
    )
    url = queues.create_queue(QueueName=f"esm{number}", Attributes=visible)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:000000000000:{url.rpartition('/')[2]}"
    given = {"EventSourceArn": arn, "FunctionName": f"f{number}", **source}
    resources = {"Thing": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": given}}
    if not says:
        mapping = functions.create_event_source_mapping(**given)
        assert stack(local, resources)["StackStatus"] == "CREATE_COMPLETE"
        bad = refused(
            functions.update_event_source_mapping,
            UUID=mapping["UUID"],
            BatchSize=500,
            MaximumBatchingWindowInSeconds=0,
        )
        assert bad[0] == "InvalidParameterValueException"
        return
    assert refused(functions.create_event_source_mapping, **given) == (
        "InvalidParameterValueException",
        says,
    )
    assert says in stack(local, resources)["reasons"]


def empty_zip() -> bytes:
    return b"PK\x05\x06" + b"\0" * 18


# ---------------------------------------------------------------- keys
ODD = (
    "x\nnl.json",
    "x\n",
    "\n",
    "x\r\n.json",
    "x\t\x7f.json",
    "x\x01.json",
    "x?*.json",
    "é 日.json",
)


@pytest.fixture(scope="module")
def reader(local: Client) -> Client:
    """Clients of a user who may read k/ and the object l/x, in a bucket with odd keys."""
    s3, iam = local("s3"), local("iam")
    s3.create_bucket(Bucket="odd", CreateBucketConfiguration={"LocationConstraint": REGION})
    for folder in ("k", "l"):
        for key in ODD:
            s3.put_object(Bucket="odd", Key=f"{folder}/{key}", Body=key.encode())
    iam.create_user(UserName="reader")
    allowed = {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": ["arn:aws:s3:::odd/k/*", "arn:aws:s3:::odd/l/x"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="reader", PolicyName="reads", PolicyDocument=policy)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    make: Any = boto3.client
    return lambda service: make(
        service,
        endpoint_url=s3.meta.endpoint_url,
        region_name=REGION,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )


@pytest.mark.parametrize("key", ODD)
def test_a_policy_matches_keys_of_any_characters(reader: Client, key: str) -> None:
    """A line break is a character like others, also the last one: only k/ may be read."""
    answer = reader("s3").get_object(Bucket="odd", Key=f"k/{key}")
    assert answer["Body"].read() == key.encode()
    assert refused(reader("s3").get_object, Bucket="odd", Key=f"l/{key}")[0] == "AccessDenied"


@pytest.mark.usefixtures("reader")
def test_listings_have_keys_of_any_characters(local: Client) -> None:
    """boto3 asks for EncodingType=url and decodes, of multipart uploads only where it is told to."""
    s3 = local("s3")
    keys = {f"k/{key}" for key in ODD}
    given: dict[str, Any] = {"Bucket": "odd", "Prefix": "k/"}
    for operation, entries in (
        ("list_objects_v2", "Contents"),
        ("list_object_versions", "Versions"),
    ):
        pages = s3.get_paginator(operation).paginate(**given, PaginationConfig={"PageSize": 3})
        assert {entry["Key"] for page in pages for entry in page[entries]} == keys
    folders = s3.list_object_versions(Bucket="odd", Prefix="k/x", Delimiter="\n")
    assert {one["Prefix"] for one in folders["CommonPrefixes"]} == {"k/x\n", "k/x\r\n"}
    s3.create_multipart_upload(Bucket="odd", Key="k/m é\n")
    (upload,) = s3.list_multipart_uploads(**given, EncodingType="url")["Uploads"]
    assert upload["Key"] == "k/m%20%C3%A9%0A"


def test_a_versioned_bucket_with_odd_keys_is_emptied(local: Client) -> None:
    s3 = local("s3")
    s3.create_bucket(Bucket="versioned", CreateBucketConfiguration={"LocationConstraint": REGION})
    status = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration=status)
    for key in ODD:
        s3.put_object(Bucket="versioned", Key=key, Body=b"x")
        s3.delete_object(Bucket="versioned", Key=key)
    assert empty(cast(Clients, SimpleNamespace(s3=s3)), "versioned") == 2 * len(ODD)
    s3.delete_bucket(Bucket="versioned")


# ---------------------------------------------------------------- requests
def test_requests_are_checked_with_the_service_s_model(local: Client) -> None:
    """What botocore itself leaves to the service."""
    states, events = local("stepfunctions"), local("events")
    arn = made(local, PASS)
    code, message = refused(states.list_executions, stateMachineArn=arn, statusFilter="ENDED")
    assert code == "ValidationException"
    assert message.startswith(
        "1 validation error detected: Value 'ENDED' at 'statusFilter' failed to satisfy constraint: "
        "Member must satisfy enum value set: [RUNNING, "
    )
    assert refused(states.list_executions, stateMachineArn=arn, maxResults=1001)[0] == code
    assert refused(states.start_execution, stateMachineArn=arn, input="1" * (LIMIT + 1))[0] == code
    _, message = refused(events.put_rule, Name="two words", ScheduleExpression="rate(1 hour)")
    assert "at 'name' failed" in message.lower()


@pytest.mark.parametrize(
    ("subject", "message", "says"),
    [
        ("two\nlines", "m", "Subject"),
        ("x" * 100, "m", "Subject"),
        ("naïve", "m", "Subject"),
        (" blank first", "m", "Subject"),
        ("[stack] 2 files rejected", "x" * LIMIT, ""),
        ("s", "x" * (LIMIT + 1), "Message too long"),
    ],
)
def test_messages_that_sns_refuses(local: Client, subject: str, message: str, says: str) -> None:
    topic = local("sns").create_topic(Name="told")["TopicArn"]
    given = {"TopicArn": topic, "Subject": subject, "Message": message}
    if not says:
        local("sns").publish(**given)
        return
    assert refused(local("sns").publish, **given) == (
        "InvalidParameter",
        f"Invalid parameter: {says}",
    )


@pytest.mark.parametrize("number", [1, 2])
def test_events_that_are_too_large_together(local: Client, number: int) -> None:
    entry = {"Source": "s", "DetailType": "t", "Resources": ["arn:x"]}
    room = LIMIT // number - len("starn:x")
    entries = [{**entry, "Detail": json.dumps("x" * (room - 2))} for _ in range(number)]
    assert local("events").put_events(Entries=entries)["FailedEntryCount"] == 0
    entries[0]["Resources"] = ["arn:xy"]
    assert refused(local("events").put_events, Entries=entries) == (
        "ValidationException",
        "Total size of the entries in the request is over the limit.",
    )
