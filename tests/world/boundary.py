"""The boundary between the functions and AWS: every call is recorded, checked against the caller's policies, and can
go wrong in every way that a call can.

A call is made by a function's client (an HTTP request, so that botocore's parsing and retries are part of what is
tested), by the state machine, by the queue's event source, or by the upload rule. All have a place: who calls what
for the n-th time, which is the same in each run until something goes wrong.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError
from moto.core.botocore_stubber import MockRawResponse

from tests.world.clock import Clock
from tests.world.sandbox import ApiCall, Environment
from tests.world.template import ACCOUNT, REGION, Stack

TICK = 0.001  # seconds that a call takes

# What goes wrong, and how it looks from where the call is made. "Done": AWS has done what was asked.
HTTP_KINDS = {
    "refused": "not done: access denied, also again, until the refusal is lifted",
    "throttled": "not done: throttled, in all attempts of the client",
    "failing": "not done: an error 500, in all attempts of the client",
    "blip": "not done: an error 500, once",
    "lost": "done: the connection closes before the answer comes, once",
    "mute": "done: the connection closes before the answer comes, in all attempts of the client",
    "twice": "done twice: the network repeats the request",
    "slow": "done: the answer comes after the function's timeout, which ends it",
    "killed-before": "not done: the function's process is killed before the call",
    "killed-after": "done: the function's process is killed when the answer has come",
}
SUBMIT_KINDS = {
    "paused": "not done: the warehouse is paused, for every function, until it is resumed"
}
SERVICE_KINDS = {
    "refused": "not done: access denied, also again, until the refusal is lifted",
    "throttled": "not done: throttled, also again, until the execution has ended",
    "blip": "not done: an error 500, once",
    "lost": "done: the result is lost, once",
    "twice": "done twice",
}
EVENT_KINDS = {"forgotten": "not done: nobody is told", "twice": "done twice"}
DELETE_KINDS = {"forgotten": "not done: nobody is told"}
LASTING = ("throttled", "failing", "mute")  # in all attempts of the client


@dataclass(frozen=True)
class Place:
    """Where a call is in a recording: who calls which operation for the n-th time."""

    caller: str
    operation: str  # s3.PutObject
    number: int

    def __str__(self) -> str:
        return f"{self.caller}-{self.operation}-{self.number}"


@dataclass
class Call:
    """A recorded call. ``role`` and ``action`` as in IAM; ``execution`` is its name, '' for none."""

    place: Place
    role: str
    action: str
    resource: str
    execution: str
    kinds: tuple[str, ...]
    attempts: int = 0
    given: Mapping[str, Collection[str]] = field(default_factory=dict)  # condition keys


@dataclass
class Fault:
    """``kind`` at the calls that ``at`` takes; ``struck``: those to which it has happened."""

    kind: str
    at: Callable[[Call], bool]
    struck: list[Call] = field(default_factory=list)


class Caller(Protocol):
    """Who makes a call: a function's invocation."""

    name: str
    role: str
    execution: str
    timeout: int
    clock: Clock


Deliver = Callable[[str, dict[str, Any], Caller], dict[str, Any]]
"""An operation of a JSON service and its request in, its answer out; raises Refused."""


class Refused(Exception):
    """An error answer of a JSON service: HTTP status, code, message."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class Boundary:
    """``calls`` in their order; ``arm`` and ``storm`` let some of them go wrong. Thread-safe."""

    def __init__(
        self,
        stack: Stack,
        clock: Clock,
        s3: Callable[[AWSPreparedRequest], AWSResponse],
        services: dict[str, Deliver],
    ) -> None:
        self._stack = stack
        self._clock = clock
        self._s3 = s3
        self._services = services
        self._lock = threading.Lock()
        self._numbers: Counter[tuple[str, str]] = Counter()
        self.calls: list[Call] = []
        self._faults: list[Fault] = []
        self._lasting: dict[
            tuple[str, ...], str
        ] = {}  # what is refused, throttled, paused from now on

    def arm(self, place: Place, kind: str) -> Fault:
        """Lets the call at this place go wrong."""
        return self.storm(kind, lambda call: call.place == place)

    def storm(self, kind: str, at: Callable[[Call], bool]) -> Fault:
        """Lets every call go wrong that ``at`` takes."""
        self._faults.append(Fault(kind, at))
        return self._faults[-1]

    def lift(self) -> None:
        """What was refused is allowed from now on, and nothing more goes wrong."""
        self._faults.clear()
        self._lasting.clear()

    def record(
        self, caller: str, role: str, operation: str, action: str, resource: str, execution: str,
        kinds: Iterable[str],
    ) -> Call:  # fmt: skip
        """A call that is about to be made."""
        self._clock.advance(TICK)
        with self._lock:
            self._numbers[caller, operation] += 1
            place = Place(caller, operation, self._numbers[caller, operation])
            call = Call(place, role, action, resource, execution, tuple(kinds))
            self.calls.append(call)
        return call

    def kind_at(self, call: Call) -> str:
        """How this attempt of a call goes wrong, '' if it does not."""
        for same in _scopes(call).values():
            if same in self._lasting:
                return self._lasting[same]
        for fault in self._faults:
            if (call.attempts <= 1 or fault.kind in LASTING) and fault.at(call):
                if call not in fault.struck:
                    fault.struck.append(call)
                is_aws_own = call.attempts == 0
                if fault.kind in ("refused", "paused") or (
                    fault.kind == "throttled" and is_aws_own
                ):
                    self._lasting[_scopes(call)[fault.kind]] = fault.kind
                return fault.kind
        return ""

    def allowed(self, call: Call) -> bool:
        """Whether a policy of the caller's role allows the call."""
        return self._stack.allows(call.role, call.action, call.resource, call.given)

    # -- what a function's client sends ------------------------------------------------------

    def send(
        self, caller: Caller, environment: Environment, api: ApiCall, request: AWSPreparedRequest
    ) -> AWSResponse:
        """One attempt of a call of a function's client."""
        if api.note is None:
            action, resource = _in_iam(self._stack, api)
            submits = api.operation.endswith("ExecuteStatement")
            kinds = [*HTTP_KINDS, *(SUBMIT_KINDS if submits else ())]
            operation = f"{_SHORT.get(api.service, api.service)}.{api.operation}"
            api.note = self.record(
                caller.name, caller.role, operation, action, resource, caller.execution, kinds
            )
            api.note.given = _conditions(api)
        call: Call = api.note
        call.attempts += 1
        kind = self.kind_at(call)
        if kind:
            environment.disturbed = True
        if kind == "refused" or not self.allowed(call):
            return _error(api, request, *_DENIED[api.service == "s3"])
        if kind == "throttled":
            return _error(api, request, *_THROTTLED[api.service == "s3"])
        if kind in ("failing", "blip"):
            return _error(api, request, *_BROKEN[api.service == "s3"])
        if kind == "paused":
            # Not documented; fakeshift/src/fakeshift/faults.py says who has seen it.
            message = "Redshift endpoint is not available."
            return _error(api, request, "ValidationException", message, 400)
        if kind == "killed-before":
            raise environment.kill("Runtime.ExitError")
        if kind == "twice":
            self._done(caller, api, request)
            body: Any = request.body
            if hasattr(body, "seek"):
                body.seek(0)
        answer = self._done(caller, api, request)
        if kind in ("lost", "mute"):
            raise ConnectionClosedError(endpoint_url=request.url)
        if kind == "slow":
            self._clock.advance(caller.timeout)
            raise environment.kill("Sandbox.Timedout")
        if kind == "killed-after":
            raise environment.kill("Runtime.ExitError")
        return answer

    def _done(self, caller: Caller, api: ApiCall, request: AWSPreparedRequest) -> AWSResponse:
        if api.service == "s3":
            answer = self._s3(request)
            listing = f"arn:aws:s3:::{api.parameters['Bucket']}"
            if answer.status_code == 404 and not self._stack.allows(
                caller.role, "s3:ListBucket", listing
            ):
                # Who may not list is not told what is not there (API_GetObject, Permissions).
                return _error(api, request, *_DENIED[True])
            return answer
        deliver = self._services[api.service]
        body: Any = request.body or b"{}"
        given = api.parameters if api.service == "sns" else json.loads(body)
        try:
            result = deliver(api.operation, dict(given), caller)
        except Refused as refused:
            return _error(api, request, refused.code, str(refused), refused.status)
        if api.service == "sns":
            text = "".join(f"<{name}>{value}</{name}>" for name, value in result.items())
            named = f"<{api.operation}Result>{text}</{api.operation}Result>"
            body = f"<{api.operation}Response>{named}</{api.operation}Response>"
            return _answer(request, 200, {"Content-Type": "text/xml"}, body.encode())
        return _answer(request, 200, {}, json.dumps(result).encode())


def _scopes(call: Call) -> dict[str, tuple[str, ...]]:
    """What a kind that lasts is about: a refusal the caller's action on the bucket (or other resource), throttling by
    AWS itself that within one execution, a pause every submission.
    """
    of_caller = (call.place.caller, call.action, call.resource.partition("/")[0])
    scopes = {"refused": of_caller, "throttled": (*of_caller, call.execution)}
    if "paused" in call.kinds:
        scopes["paused"] = ("paused",)
    return scopes


_SHORT = {"stepfunctions": "states"}

_DENIED = {
    True: ("AccessDenied", "Access Denied", 403),
    False: ("AccessDeniedException", "User is not authorized to perform this action", 400),
}
_THROTTLED = {
    True: ("SlowDown", "Please reduce your request rate.", 503),
    False: ("ThrottlingException", "Rate exceeded", 400),
}
_BROKEN = {
    True: ("InternalError", "We encountered an internal error. Please try again.", 500),
    False: ("InternalServerException", "Internal server error", 500),
}

# IAM's action for each operation whose name is not the action's, and what its resource is.
# Source: docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html and the other services' lists
_S3_ACTIONS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "DeleteObjects": "s3:DeleteObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "ListObjectsV2": "s3:ListBucket",
    "HeadBucket": "s3:ListBucket",
    "GetBucketLocation": "s3:GetBucketLocation",
    "GetBucketNotificationConfiguration": "s3:GetBucketNotification",
}
_OF_STATEMENTS = ("DescribeStatement", "GetStatementResult", "CancelStatement", "ListStatements")


def _in_iam(stack: Stack, api: ApiCall) -> tuple[str, str]:
    """A call's action and the ARN of its resource, '*' where there is none. KeyError for an operation not known."""
    given = api.parameters
    if api.service == "s3":
        key = f"/{given['Key']}" if "Key" in given else ""
        return _S3_ACTIONS[api.operation], f"arn:aws:s3:::{given['Bucket']}{key}"
    if api.service == "redshift-data":
        action = f"redshift-data:{api.operation}"
        return action, "*" if api.operation in _OF_STATEMENTS else stack.workgroup
    if api.service == "sns":
        return f"sns:{api.operation}", given["TopicArn"]
    if api.service == "events":  # no entry names a bus: it is the account's default one
        return f"events:{api.operation}", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    if api.service == "sqs":  # the stack's functions know one queue
        return f"sqs:{api.operation}", stack.source.queue
    if api.service == "stepfunctions":
        arn = given.get("stateMachineArn") or given["executionArn"]
        return f"states:{api.operation}", arn
    raise KeyError(f"{api.service}.{api.operation} is not known here: say what it is in IAM.")


def _conditions(api: ApiCall) -> dict[str, list[str]]:
    """The condition keys of a call in IAM, with their values.

    Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    """
    if api.service != "events":
        return {}
    entries = api.parameters["Entries"]
    return {
        "events:source": [entry["Source"] for entry in entries],
        "events:detail-type": [entry["DetailType"] for entry in entries],
    }


def denied(request: AWSPreparedRequest) -> AWSResponse:
    """S3's answer to whom no policy allows it."""
    text = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    return _answer(request, 403, {"Content-Type": "application/xml"}, text.encode())


def _error(
    api: ApiCall, request: AWSPreparedRequest, code: str, message: str, status: int
) -> AWSResponse:
    """An error as the service's protocol has it; a HEAD has no body, and its status says it all."""
    if api.service == "sns":
        text = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        return _answer(request, status, {"Content-Type": "text/xml"}, text.encode())
    if api.service != "s3":
        body = json.dumps({"__type": code, "message": message, "Message": message}).encode()
        return _answer(request, status, {"x-amzn-ErrorType": code}, body)
    if request.method == "HEAD":
        return _answer(request, status, {}, b"")
    text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return _answer(request, status, {"Content-Type": "application/xml"}, text.encode())


def _answer(
    request: AWSPreparedRequest, status: int, headers: dict[str, str], body: bytes
) -> AWSResponse:
    given: Any = headers
    return AWSResponse(request.url, status, given, MockRawResponse(body))
