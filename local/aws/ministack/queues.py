"""SQS and its event source: what MiniStack accepts and AWS refuses.

The evidence is in local/aws/ministack/__init__.py.
"""

import json
import types
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc, sqs
from ministack.services.cloudformation import provisioners

from local.aws.ministack.concurrency import until_there_is_room

BAD_POLICY = "Invalid value for the parameter Policy."
MOST = {"Statement": 20, "Action": 7, "Principal": 50, "Condition": 10}
MOST_BYTES = 8192
NO_WINDOW_UP_TO = 10
"""The most messages of a batch without a batching window."""

Answer = tuple[int, dict[str, str], Any]
Properties = Mapping[str, Any]


# ---------------------------------------------------------------- what a function returns for its batch
def is_malformed(body: Any, batch: set[str]) -> bool:
    """Whether AWS treats this response of a function as the failure of its whole batch of these message ids."""
    if isinstance(body, str):
        try:
            body = json.loads(body) if body else None
        except ValueError:
            return True
    failures = body.get("batchItemFailures") if isinstance(body, dict) else None
    if failures is None:
        return False
    if not isinstance(failures, list):
        return True
    named = [one.get("itemIdentifier") if isinstance(one, dict) else None for one in failures]
    return any(name not in batch for name in named)


def fail_batches_that_are_misnamed() -> None:
    """Makes a batch whose failures are malformed fail as a whole, so that its messages return to the queue."""
    run: types.FunctionType = lambda_svc._run_sqs_batch

    def run_batch(mapping: Any, function: Any, event: Any, batch: Any, *queue: Any) -> None:
        def execute(*given: Any) -> dict[str, Any]:
            result = until_there_is_room(
                lambda: lambda_svc._execute_function(*given), str(mapping.get("EventSourceArn"))
            )
            partial = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", ())
            ids = {message["id"] for message in batch}
            if partial and not result.get("error") and is_malformed(result.get("body"), ids):
                return {**result, "error": True, "body": {"errorType": "InvalidBatchItemFailures"}}
            body = result.get("body")
            if isinstance(body, dict) and body.get("batchItemFailures", ()) is None:
                return {**result, "body": {}}  # success; MiniStack stumbles over it
            return result

        # The same function with another _execute_function; its other names are the module's.
        own = types.FunctionType(
            run.__code__, {**vars(lambda_svc), "_execute_function": execute}, run.__name__
        )
        own(mapping, function, event, batch, *queue)

    lambda_svc._run_sqs_batch = run_batch


# ---------------------------------------------------------------- event sources
def problem_of_source(mapping: Properties, function: str) -> str:
    """Why AWS refuses an SQS event source mapping; '' if it accepts it."""
    source = str(mapping.get("EventSourceArn", ""))
    queue = sqs._queue_by_arn(source) if ":sqs:" in source else None
    if queue is None:
        return ""
    window = float(mapping.get("MaximumBatchingWindowInSeconds") or 0)
    if int(mapping.get("BatchSize") or 10) > NO_WINDOW_UP_TO and window == 0:
        return (
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is "
            "greater than 10"
        )
    name = function.rpartition(":function:")[2] or function
    config = (lambda_svc._functions.get(name.partition(":")[0]) or {}).get("config", {})
    visible_after = float(queue["attributes"].get("VisibilityTimeout") or 30)
    timeout = float(config.get("Timeout") or 3)
    if config and visible_after < timeout:
        return (
            f"Queue visibility timeout: {visible_after:.0f} seconds is less than Function timeout: "
            f"{timeout:.0f} seconds"
        )
    return ""


def check_event_sources() -> None:
    """Makes the API and CloudFormation refuse them."""
    create: Callable[[dict[str, Any]], Answer] = lambda_svc._create_esm
    update: Callable[[str, dict[str, Any]], Answer] = lambda_svc._update_esm

    def refused(problem: str) -> Answer:
        answer: Answer = error_response_json("InvalidParameterValueException", problem, 400)
        return answer

    def create_checked(data: dict[str, Any]) -> Answer:
        problem = problem_of_source(data, str(data.get("FunctionName", "")))
        return refused(problem) if problem else create(data)

    def update_checked(uuid: str, data: dict[str, Any]) -> Answer:
        known = lambda_svc._esms.get(uuid) or {}
        problem = problem_of_source({**known, **data}, str(known.get("FunctionName", "")))
        return refused(problem) if problem else update(uuid, data)

    lambda_svc._create_esm = create_checked
    lambda_svc._update_esm = update_checked
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    for operation, number in (("create", 1), ("update", 2)):
        handlers[operation] = _refusing_source(handlers[operation], number)


def _refusing_source(operation: Callable[..., Any], number: int) -> Callable[..., Any]:
    def operation_checked(*given: Any) -> Any:
        properties = given[number]
        if problem := problem_of_source(properties, str(properties.get("FunctionName", ""))):
            raise ValueError(
                f'Resource handler returned message: "Invalid request provided: {problem} '
                '(Service: Lambda, Status Code: 400)" (HandlerErrorCode: InvalidRequest)'
            )
        return operation(*given)

    return operation_checked


# ---------------------------------------------------------------- policies
def problem_of_policy(policy: Any) -> str:
    """SQS's message if it refuses a queue's policy; '' if it accepts it."""
    text = policy if isinstance(policy, str) else json.dumps(policy)
    try:
        document = json.loads(text)
        statements = document["Statement"]
    except (ValueError, KeyError, TypeError):
        return BAD_POLICY
    statements = [statements] if isinstance(statements, dict) else statements
    if len(text.encode()) > MOST_BYTES or len(statements) > MOST["Statement"]:
        return BAD_POLICY
    principals = sum(_count(_principals(statement)) for statement in statements)
    conditions = sum(
        len(keys) for statement in statements for keys in statement.get("Condition", {}).values()
    )
    if principals > MOST["Principal"] or conditions > MOST["Condition"]:
        return BAD_POLICY
    for statement in statements:
        if (actions := _count(statement.get("Action"))) > MOST["Action"]:
            return (
                f"{BAD_POLICY} Reason: {actions} actions were found in a statement from the submitted "
                f"policy, max allowed is {MOST['Action']}"
            )
        if _count(statement.get("Resource")) != 1:
            return BAD_POLICY
    return ""


def _principals(statement: Properties) -> Any:
    principal = statement.get("Principal", ())
    if not isinstance(principal, dict):
        return principal
    return [
        one for some in principal.values() for one in ([some] if isinstance(some, str) else some)
    ]


def _count(values: Any) -> int:
    return 1 if isinstance(values, str) else len(values or ())


def check_policies() -> None:
    """Makes SetQueueAttributes and CloudFormation refuse a queue's policy that SQS refuses."""
    put: Callable[[dict[str, Any], str], dict[str, Any]] = sqs._act_set_queue_attributes

    def put_checked(data: dict[str, Any], url: str) -> dict[str, Any]:
        policy = (data.get("Attributes") or {}).get("Policy")
        if policy and (problem := problem_of_policy(policy)):
            raise sqs._Err("InvalidAttributeValue", problem)
        return put(data, url)

    for name, value in list(vars(sqs).items()):  # the table of actions too
        if isinstance(value, dict) and value.get("SetQueueAttributes") is put:
            vars(sqs)[name]["SetQueueAttributes"] = put_checked
    sqs._act_set_queue_attributes = put_checked
    handlers = provisioners._RESOURCE_HANDLERS["AWS::SQS::QueuePolicy"]
    for operation, number in (("create", 1), ("update", 2)):
        handlers[operation] = _refusing_policy(handlers[operation], number)


def _refusing_policy(operation: Callable[..., Any], number: int) -> Callable[..., Any]:
    def operation_checked(*given: Any) -> Any:
        if problem := problem_of_policy(given[number].get("PolicyDocument")):
            raise ValueError(
                f"{problem} (Service: AmazonSQS; Status Code: 400; Error Code: InvalidAttributeValue)"
            )
        return operation(*given)

    return operation_checked


def apply() -> None:
    """All of it; before ministack.app is imported."""
    fail_batches_that_are_misnamed()
    check_event_sources()
    check_policies()
