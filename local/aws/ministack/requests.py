"""Requests that MiniStack accepts and AWS refuses by the service's model: lengths, ranges, patterns, allowed values.

botocore, with which the functions call, checks types and what is missing, and leaves the rest to the service. The
models are botocore's. Checked are the services of the product that speak JSON; SNS, of which the functions call one
operation, is checked for that by hand, and so is the size of events.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from botocore.model import Shape
from botocore.session import get_session
from ministack.core.responses import error_response_json
from ministack.services import cloudwatch_logs, eventbridge, sns, sqs, stepfunctions

Answer = tuple[int, dict[str, str], Any]

SERVICES = {
    "stepfunctions": stepfunctions,
    "events": eventbridge,
    "logs": cloudwatch_logs,
    "sqs": sqs,
}

# docs.aws.amazon.com/sns/latest/api/API_Publish.html: ASCII that begins with a letter, number or punctuation mark, no
# line breaks or control characters, less than 100 characters long; a message of 256 KB at most.
SUBJECT = re.compile(r"[!-~][ -~]{0,98}")
MAX_MESSAGE = 262_144
# Of all entries of a request, in bytes (…/eventbridge/latest/userguide/eb-putevent-size.html).
MAX_EVENTS = 262_144


def problems(value: Any, shape: Shape, where: str = "") -> Iterator[str]:
    """AWS's messages for what the model refuses in a value."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():  # type: ignore[attr-defined]
            if value.get(name) is not None:
                yield from problems(value[name], member, f"{where}.{name}" if where else name)
    elif kind == "list" and isinstance(value, list):
        yield from _length(len(value), value, shape, where)
        for index, inner in enumerate(value, 1):
            member = shape.member  # type: ignore[attr-defined]
            yield from problems(inner, member, f"{where}.{index}.member")
    elif kind == "map" and isinstance(value, dict):
        for name, inner in value.items():
            yield from problems(name, shape.key, where)  # type: ignore[attr-defined]
            yield from problems(inner, shape.value, f"{where}.{name}")  # type: ignore[attr-defined]
    elif kind == "string" and isinstance(value, str):
        yield from _text(value, shape, where)
    elif kind in ("integer", "long", "float", "double") and isinstance(value, int | float):
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        if least is not None and value < float(least):
            yield _failed(value, where, f"Member must have value greater than or equal to {least}")
        if most is not None and value > float(most):
            yield _failed(value, where, f"Member must have value less than or equal to {most}")


def _text(value: str, shape: Shape, where: str) -> Iterator[str]:
    yield from _length(len(value), value, shape, where)
    if (chosen := shape.metadata.get("enum")) and value not in chosen:
        yield _failed(value, where, f"Member must satisfy enum value set: [{', '.join(chosen)}]")
    if pattern := shape.metadata.get("pattern"):
        try:
            fits = re.fullmatch(pattern, value)
        except re.error:  # a pattern in another dialect of regular expressions
            return
        if not fits:
            yield _failed(
                value, where, f"Member must satisfy regular expression pattern: {pattern}"
            )


def _length(size: int, value: Any, shape: Shape, where: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < int(least):
        yield _failed(value, where, f"Member must have length greater than or equal to {least}")
    if most is not None and size > int(most):
        yield _failed(value, where, f"Member must have length less than or equal to {most}")


def _failed(value: Any, where: str, constraint: str) -> str:
    shown = str(value)[:200]
    return f"Value '{shown}' at '{where}' failed to satisfy constraint: {constraint}"


def problem_of_request(service: str, operation: str, body: bytes | str) -> str:
    """AWS's message for a request that its model refuses; '' for a valid one."""
    model = get_session().get_service_model(service)
    if operation not in model.operation_names:
        return ""
    shape = model.operation_model(operation).input_shape
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        return ""
    found = list(problems(given, shape)) if shape else []
    if not found:
        return ""
    errors = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {errors} detected: {'; '.join(found)}"


def check_requests() -> None:
    """Makes the services refuse them."""
    for service, module in SERVICES.items():
        module.handle_request = _checking(service, module.handle_request)


def _checking(service: str, handle: Callable[..., Any]) -> Callable[..., Any]:
    async def handle_checked(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Answer:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if operation and (message := problem_of_request(service, operation, body)):
            refused: Answer = error_response_json("ValidationException", message, 400)
            return refused
        answer: Answer = await handle(method, path, headers, body, query)
        return answer

    return handle_checked


def check_messages() -> None:
    """Makes SNS refuse a subject that an email cannot have, and a message that is too long."""
    publish: Callable[[dict[str, Any]], Answer] = sns._publish

    def publish_checked(params: dict[str, Any]) -> Answer:
        subject, message = sns._p(params, "Subject"), sns._p(params, "Message")
        problem = ""
        if subject and not SUBJECT.fullmatch(subject):
            problem = "Subject"
        elif not message:
            problem = "Empty message"
        elif len(str(message).encode()) > MAX_MESSAGE:
            problem = "Message too long"
        if problem:
            refused: Answer = sns._error("InvalidParameter", f"Invalid parameter: {problem}", 400)
            return refused
        return publish(params)

    sns._publish = publish_checked


def check_events() -> None:
    """Makes EventBridge refuse a request with larger entries than it takes.

    Source of the message: https://github.com/awslabs/aws-service-catalog-puppet/issues/563
    """
    put: Callable[..., Answer] = eventbridge._put_events

    def put_checked(data: dict[str, Any], *more: Any, **named: Any) -> Answer:
        texts = [
            str(text)
            for entry in data.get("Entries", ())
            for text in (
                *(entry.get(name, "") for name in ("Source", "DetailType", "Detail")),
                *entry.get("Resources", ()),
            )
        ]
        if sum(len(text.encode()) for text in texts) > MAX_EVENTS:
            says = "Total size of the entries in the request is over the limit."
            refused: Answer = error_response_json("ValidationException", says, 400)
            return refused
        return put(data, *more, **named)

    eventbridge._put_events = put_checked


def apply() -> None:
    """All of it; before ministack.app is imported."""
    check_requests()
    check_events()
    check_messages()
