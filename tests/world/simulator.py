"""The whole system in one process: the product's handlers, state machine and SQL of a tree, S3 (moto), the local
Redshift, Step Functions, the queue, the schedule. Time passes only when something waits (clock.py).

    with World(folder) as world:
        world.upload("log_data/a.json", content)
        world.settle()
        world.check({"log_data/a.json": content})
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import unquote, urlsplit
from uuid import UUID

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.useragent import UserAgentString
from moto import backend_index, mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.models import botocore_stubber
from moto.s3.models import S3Backend, s3_backends

from fakeshift import Isolation, SnapshotAt
from local.states.interpreter import Task, TaskFailed
from tests.world import oracle
from tests.world.boundary import EVENT_KINDS, SERVICE_KINDS, Boundary, Refused, denied
from tests.world.clock import Clock
from tests.world.executions import Execution, Executions
from tests.world.sandbox import ApiCall, Code, Environment, FunctionError
from tests.world.template import ACCOUNT, REGION, Function, Stack
from tests.world.uploads import Uploads
from tests.world.warehouse import Warehouse

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = {
    "WorkgroupName": "local",
    "WorkgroupId": "11111111-2222-3333-4444-555555555555",
    "AllowReset": "true",
    "LogLevel": "ERROR",
}
SWEEP_EVERY = timedelta(hours=1)
ASYNC_RETRIES = 2  # Lambda's own, for an invocation that nobody waits for
MAX_SWEEPS = 60
S3_URLS = s3_backends[ACCOUNT]["aws"].urls
ADDRESSES = [each for each in backend_index.backend_url_patterns if each[0] in ("s3", "sts")]


class Unsettled(AssertionError):
    """Sweep after sweep starts a load, and something is still not as it should be."""


@cache
def code_of(tree: Path) -> Code:
    return Code(tree)


class Fleet:
    """Lambda: functions' environments, warm ones used again. They may outlive a world."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._lock = threading.Lock()
        self._idle: dict[tuple[str, tuple[tuple[str, str], ...]], list[Environment]] = {}

    def take(self, function: Function, around: Invocation) -> Environment:
        key = (function.arn, tuple(sorted(function.environment.items())))
        with self._lock:
            idle = self._idle.setdefault(key, [])
            if idle:
                environment = idle.pop()
                environment.around = around
                return environment
        return Environment(self._code, function, around)

    def give_back(self, environment: Environment) -> None:
        """One that was killed is thrown away; so is one whose clients have used up some of their quota of retries, so
        that the next world's clients do not give up earlier.
        """
        if environment.dead or environment.disturbed:
            return
        function = environment.function
        key = (function.arn, tuple(sorted(function.environment.items())))
        with self._lock:
            self._idle[key].append(environment)


@cache
def fleet_of(tree: Path) -> Fleet:
    return Fleet(code_of(tree))


@dataclass
class Invocation:
    """One invocation of a function, as the boundary sees it."""

    name: str
    role: str
    execution: str
    timeout: int
    clock: Clock
    boundary: Boundary

    def send(
        self, environment: Environment, call: ApiCall, request: AWSPreparedRequest
    ) -> AWSResponse:
        return self.boundary.send(self, environment, call, request)


@dataclass(frozen=True)
class Memory:
    """A world at one moment, from which others begin: its warehouse's files, objects, executions and time."""

    warehouse: Path
    objects: tuple[tuple[str, str, bytes, datetime], ...]  # bucket, key, body, when
    executions: tuple[Execution, ...]
    now: datetime
    uuids: int
    events: int


class World:
    """A stack of ``tree`` with ``parameters``: empty, or as ``memory`` has it.

    ``folder``, which must not exist, is the warehouse's.
    """

    def __init__(
        self,
        folder: Path,
        *,
        tree: Path = ROOT,
        isolation: Isolation = "snapshot",
        parameters: Mapping[str, str] | None = None,
        memory: Memory | None = None,
        admins: frozenset[str] = frozenset(),
        snapshot_at: SnapshotAt = "statement",
    ) -> None:
        self.stack = Stack(tree, {**PARAMETERS, **(parameters or {})})
        self.clock = Clock(memory.now, memory.uuids) if memory else Clock()
        self._folder = folder
        self._fleet = fleet_of(tree)
        self._entered = ExitStack()
        self.copies = Copies(self.stack)
        self._entered.enter_context(_aws(self.clock, self.copies))
        self._s3 = _s3_of_users()
        here: Any = {"LocationConstraint": REGION}
        for bucket in (self.stack.data_bucket, self.stack.work_bucket):
            self._s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=here)
        self._s3.put_bucket_notification_configuration(
            Bucket=self.stack.data_bucket,
            NotificationConfiguration={"EventBridgeConfiguration": {}},
        )
        self.told: list[tuple[str, str]] = []  # subject and text of the topic's messages
        self.events: list[dict[str, Any]] = []  # of the default bus, as its rules get them
        self.warehouse = Warehouse(
            folder, self.stack, isolation, memory.warehouse if memory else None, admins, snapshot_at
        )
        self._entered.callback(self.warehouse.stop)
        self.executions = Executions(self.stack, self.clock, self._task)
        self.boundary = Boundary(
            self.stack,
            self.clock,
            _s3_of_moto,
            {
                "redshift-data": self.warehouse.operation,
                "stepfunctions": self.executions.operation,
                "sns": self._publish,
                "events": self._put_events,
                "sqs": lambda *given: self.queue.operation(*given),
            },
        )
        trigger = self.stack.function("TriggerFunction")
        self.queue = Uploads(
            self.stack, self.clock, self.boundary, lambda event: self._unattended(trigger, event)
        )

        if memory:
            self._recall(memory)

    def _publish(self, name: str, request: dict[str, Any], caller: Any) -> dict[str, Any]:
        """SNS: takes a message for the topic's subscribers."""
        del caller
        assert name == "Publish", name
        self.told.append((request["Subject"], request["Message"]))
        return {"MessageId": f"{len(self.told)}"}

    def _put_events(self, name: str, request: dict[str, Any], caller: Any) -> dict[str, Any]:
        """EventBridge: takes the entries, each with its envelope.

        Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
        """
        del caller
        assert name == "PutEvents", name
        entries = request["Entries"]
        if len(entries) > 10:
            raise Refused("ValidationException", "Entries: at most 10")
        if sum(map(_size_of, entries)) > 256 * 1024:
            raise Refused("ValidationException", "Total size of the entries is over the limit")
        made = [
            {
                "version": "0",
                "id": str(
                    UUID(int=number)
                ),  # none of the clock's: threads of functions send events
                "detail-type": entry["DetailType"],
                "source": entry["Source"],
                "account": ACCOUNT,
                "time": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": REGION,
                "resources": entry.get("Resources", []),
                "detail": json.loads(entry["Detail"]),
            }
            for number, entry in enumerate(entries, len(self.events))
        ]
        self.events += made
        return {"FailedEntryCount": 0, "Entries": [{"EventId": event["id"]} for event in made]}

    def __enter__(self) -> World:
        return self

    def __exit__(self, *raised: object) -> None:
        self._entered.close()

    def remember(self) -> Memory:
        """Ends this world, for others to begin where it ended. Its folder must stay."""
        with self:
            objects = tuple(
                (bucket, key, self._body(bucket, key), modified)
                for bucket in (self.stack.data_bucket, self.stack.work_bucket)
                for key, _, modified in self._listed(bucket)
            )
        return Memory(
            self._folder,
            objects,
            tuple(self.executions.all),
            self.clock.now(),
            self.clock.uuids,
            self.queue.made,
        )

    def _recall(self, memory: Memory) -> None:
        self.executions.all = list(memory.executions)
        self.queue.made = memory.events
        for bucket, key, body, modified in memory.objects:
            kept = s3_backends[ACCOUNT]["aws"].put_object(bucket, key, body)
            kept.last_modified = modified.replace(tzinfo=None)

    def _body(self, bucket: str, key: str) -> bytes:
        return bytes(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def _listed(self, bucket: str) -> list[tuple[str, str, datetime]]:
        """(key, ETag, last modified) of the objects of a bucket."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [
            (e["Key"], e["ETag"].strip('"'), e["LastModified"])
            for page in pages
            for e in page.get("Contents", ())
        ]

    # -- what a user does --------------------------------------------------------------------

    def upload(self, key: str, body: bytes, *, event: bool = True) -> dict[str, Any]:
        """Puts an object into the data bucket; returns its event, which is sent unless ``event`` is false."""
        self.clock.advance(1)
        put = self._s3.put_object(Bucket=self.stack.data_bucket, Key=key, Body=body)
        told = self.queue.event(key, put["ETag"].strip('"'), len(body))
        if event:
            self.queue.notify(told)
        return told

    def delete(self, key: str) -> None:
        self._s3.delete_object(Bucket=self.stack.data_bucket, Key=key)

    def start(self, document: Any, name: str = "") -> Execution:
        """A person starts an execution; it runs with the others (``work``)."""
        self.clock.advance(1)
        return self.executions.start(name or str(self.clock.uuid()), document)

    def redrive(self, execution: Execution) -> Execution:
        self.clock.advance(60)
        return self.executions.redrive(execution)

    # -- what AWS does -----------------------------------------------------------------------

    def work(self, *, together: bool = False) -> None:
        """Delivers what is in the queue now and runs executions, until there is nothing more to do at this time.

        Executions run one after another in the order of their start; with ``together`` all that are started run in
        threads at the same time.
        """
        while self.queue.deliver() or self.executions.waiting():
            waiting = self.executions.waiting()
            if not together:
                for execution in waiting[:1]:
                    self.executions.run(execution)
            elif waiting:
                with ThreadPoolExecutor(len(waiting)) as pool:
                    list(pool.map(lambda one: self.executions.run(one, parallel=True), waiting))

    def sweep(self) -> None:
        """The schedule's next sweep: an hour after the last full hour, and again a minute or two later if it fails."""
        now = self.clock.now()
        due = now.replace(minute=0, second=0, microsecond=0) + SWEEP_EVERY
        self.clock.forward_to(due)
        function = self.stack.function("SweepFunction")
        for retry in range(ASYNC_RETRIES + 1):
            self.clock.advance(60 * retry)
            try:
                self._unattended(function, {})
            except FunctionError:
                continue
            return

    def settle(self) -> None:
        """Lets AWS do all that it does by itself, for as long as that changes anything: redeliveries, sweeps, loads.

        Raises Unsettled if a sweep after many others still starts a load.
        """
        self.work()
        quiet = 0
        for _ in range(MAX_SWEEPS):
            while (visible := self.queue.next_visible()) is not None:
                self.clock.advance(max(visible - self.clock.time(), 0))
                self.work()
            before = len(self.executions.all)
            self.sweep()
            self.work()
            quiet = quiet + 1 if len(self.executions.all) == before else 0
            if quiet == 2:
                self.warehouse.rest()
                return
        last = self.executions.all[-1]
        raise Unsettled(f"{MAX_SWEEPS} sweeps; the last load: {last.status} {last.cause}")

    # -- functions ---------------------------------------------------------------------------

    def invoke(self, function: Function, payload: Any, execution: str = "") -> Any:
        """An invocation of a function; raises FunctionError."""
        around = Invocation(
            function.short, function.role, execution, function.timeout, self.clock, self.boundary
        )
        environment = self._fleet.take(function, around)
        try:
            return environment.invoke(payload, str(self.clock.uuid()))
        finally:
            self._fleet.give_back(environment)

    def _unattended(self, function: Function, payload: Any) -> Any:
        """An invocation by the event source or the schedule."""
        call = self.boundary.record(
            f"invoke {function.short}", "", "lambda.Invoke", "lambda:InvokeFunction",
            function.arn, "", {**EVENT_KINDS, "lost": SERVICE_KINDS["lost"]},
        )  # fmt: skip
        kind = self.boundary.kind_at(call)
        if kind == "forgotten":
            raise FunctionError("Runtime.ExitError", {"errorMessage": "killed before it began"})
        if kind == "twice":
            self.invoke(function, payload)
        answer = self.invoke(function, payload)
        if kind == "lost":
            raise FunctionError("Runtime.ExitError", {"errorMessage": "killed when it had ended"})
        return answer

    def _task(self, execution: Execution, task: Task) -> Any:
        """A call of the state machine."""
        if task.resource == "arn:aws:states:::lambda:invoke":
            function = self.stack.functions[task.arguments["FunctionName"]]
            return self._called(
                execution,
                "lambda.Invoke",
                "lambda:InvokeFunction",
                function.arn,
                function.short,
                lambda: {
                    "Payload": self._payload(function, task, execution),
                    "StatusCode": 200,
                    "ExecutedVersion": "$LATEST",
                },
            )
        if task.resource == "arn:aws:states:::states:startExecution":
            return self._called(
                execution,
                "states.StartExecution",
                "states:StartExecution",
                task.arguments["StateMachineArn"],
                "",
                lambda: self._started(task.arguments),
            )
        raise AssertionError(f"A resource that is not known here: {task.resource}")

    def _payload(self, function: Function, task: Task, execution: Execution) -> Any:
        try:
            return self.invoke(function, task.arguments["Payload"], execution.name)
        except FunctionError as error:
            raise TaskFailed(error.error, error.cause) from error

    def _started(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        started = self.executions.start(
            arguments.get("Name") or str(self.clock.uuid()), arguments["Input"]
        )
        return {"ExecutionArn": started.arn, "StartDate": self.clock.time()}

    def _called(
        self,
        execution: Execution,
        operation: str,
        action: str,
        resource: str,
        what: str,
        do: Callable[[], Any],
    ) -> Any:
        """A call of the state machine to a service, with the error names that Step Functions gives.

        Source: docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
        """
        caller = f"states{'.' if what else ''}{what}"
        call = self.boundary.record(
            caller, "StateMachineRole", operation, action, resource, execution.name, SERVICE_KINDS
        )
        kind = self.boundary.kind_at(call)
        service = {"lambda": "Lambda", "states": "StepFunctions"}[operation.partition(".")[0]]
        if kind == "refused" or not self.boundary.allowed(call):
            error = "AWSLambdaException" if service == "Lambda" else "AccessDeniedException"
            raise TaskFailed(f"{service}.{error}", f"User is not authorized to perform: {action}")
        if kind == "throttled":
            error = "TooManyRequestsException" if service == "Lambda" else "ThrottlingException"
            raise TaskFailed(f"{service}.{error}", "Rate exceeded")
        if kind == "blip":
            raise TaskFailed(f"{service}.ServiceException", "Service error")
        if kind == "twice":
            do()
        result = do()
        if kind == "lost":
            raise TaskFailed(f"{service}.SdkClientException", "Unable to execute HTTP request")
        return result

    # -- what must hold ----------------------------------------------------------------------

    def objects(self) -> dict[str, str]:
        """Key -> ETag of what is in the data bucket."""
        return {key: etag for key, etag, _ in self._listed(self.stack.data_bucket)}

    def check(self, expected: Expected) -> None:
        """Tables, ledger and leftovers are as they must be; AssertionError says what is not."""
        problems = [oracle.diff(expected.tables, self.warehouse.star())]
        problems += [expected.others(self)]
        problems += self._ledger_problems(expected)
        problems += [f"left behind: {table}" for table in sorted(self._staging())]
        if running := self.warehouse.running():
            problems.append(f"{running} statements are running")
        if self.queue.messages:
            problems.append(f"{len(self.queue.messages)} messages are in the queue")
        if told := "\n".join(filter(None, problems)):
            raise AssertionError(told)

    def _ledger_problems(self, expected: Expected) -> list[str]:
        current, every = self.warehouse.ledger()
        there = self.objects()
        by_file = {(key, etag): status for key, etag, status, _ in current}
        by_key = {key: status for key, _, status, _ in current}
        problems = []
        for key, wanted in expected.statuses.items():
            status = by_file.get((key, there[key])) if key in there else by_key.get(key)
            if status not in (wanted if isinstance(wanted, tuple) else (wanted,)):
                problems.append(f"{key} is {status!r} in the ledger, not {wanted!r}")
        problems += [f"{key} is in the ledger" for key in by_key.keys() - expected.statuses.keys()]
        loads = Counter((key, etag) for key, etag, status, _ in every if status == "loaded")
        problems += [f"{key} is loaded {n} times" for (key, _), n in loads.items() if n > 1]
        ids = {load_id_of(execution) for execution in self.executions.all}
        problems += [
            f"{key}: no execution is the load {i}" for key, _, _, i in every if i not in ids
        ]
        return problems

    def _staging(self) -> set[str]:
        return {table for table in self.warehouse.tables() if any(c.isdigit() for c in table)}


def _size_of(entry: Mapping[str, Any]) -> int:
    """Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html"""
    texts = (entry["Source"], entry["DetailType"], entry["Detail"], *entry.get("Resources", ()))
    return sum(len(text.encode()) for text in texts)


Status = str | None | tuple[str | None, ...]


@dataclass(frozen=True)
class Expected:
    """What must be there in the end: the star schema of the good files, and the status of every file by its key: one,
    or one of several; None is a file that the ledger does not know; ``others``: of contracts.
    """

    tables: oracle.Tables
    statuses: Mapping[str, Status]
    # What the tables of other datasets have else than they must; "" for nothing.
    others: Callable[[World], str] = lambda world: ""

    @classmethod
    def of(
        cls, loaded: Mapping[str, bytes], others: Mapping[str, Status] | None = None
    ) -> Expected:
        return cls(oracle.tables(loaded), {**dict.fromkeys(loaded, "loaded"), **(others or {})})


def load_id_of(execution: Execution) -> str:
    """The id that the load of an execution has (functions/loader/keys.py)."""
    digits = re.sub(r"\D", "", execution.started)[:14]
    return f"{digits[:8]}-{digits[8:]}-{sha256(execution.arn.encode()).hexdigest()[:8]}"


@cache
def _s3_of_users() -> Any:
    """The client of those who upload; made once, because that takes longer than all that it does in a world."""
    return boto3.session.Session(
        aws_access_key_id="user", aws_secret_access_key="secret", region_name=REGION
    ).client("s3")


def _s3_of_moto(request: AWSPreparedRequest) -> AWSResponse:
    answer = botocore_stubber("before-send.s3", request)
    if answer is None:
        raise AssertionError(f"S3 does not know {request.url}")
    return answer


def _aws(clock: Clock, copies: Copies) -> ExitStack:
    """moto, the world's time in it, and no sleeping between the attempts of any client."""
    entered = ExitStack()
    entered.enter_context(mock_aws())
    entered.enter_context(mock.patch("moto.s3.models.utcnow", clock.naive))
    # moto reloads its module of S3's addresses for each request, which takes longer than most requests, and searches
    # two hundred services' addresses for the request's.
    entered.enter_context(mock.patch.object(S3Backend, "urls", S3_URLS))
    entered.enter_context(mock.patch.object(backend_index, "backend_url_patterns", ADDRESSES))
    entered.enter_context(mock.patch("botocore.endpoint.time", _Sleepless(clock)))
    # Nothing reads it, and botocore builds it again for each call.
    entered.enter_context(mock.patch.object(UserAgentString, "to_string", return_value="tests"))
    entered.enter_context(
        mock.patch.object(BotocoreStubber, "__call__", copies.around(BotocoreStubber.__call__))
    )
    return entered


class _Sleepless:
    """Stands for the module time where botocore waits before another attempt."""

    def __init__(self, clock: Clock) -> None:
        self.sleep = clock.advance


class Copies:
    """What COPY asks of S3, which it does with the COPY role: recorded in ``calls`` as (action, resource), and denied
    where no policy of that role allows it.

    COPY's requests are known by their temporary credentials.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.calls: set[tuple[str, str]] = set()

    def around(self, answer: Any) -> Any:
        """moto's answer to a request of any client of this process, with COPY's checked first."""

        def checked(stubber: Any, event_name: str, request: Any, **more: Any) -> Any:
            if event_name.startswith("before-send.s3.") and "=ASIA" in str(
                request.headers.get("Authorization")
            ):
                call = _copy_in_iam(event_name, request)
                self.calls.add(call)
                if not self._stack.allows("CopyRole", *call):
                    return denied(request)
            return answer(stubber, event_name, request, **more)

        return checked


def _copy_in_iam(event_name: str, request: Any) -> tuple[str, str]:
    """A request of COPY's in IAM: it reads objects, and lists below a prefix where it has no manifest."""
    place = urlsplit(request.url)
    bucket, path = str(place.hostname).partition(".s3")[0], unquote(place.path)
    if event_name.endswith(".GetObject"):
        return "s3:GetObject", f"arn:aws:s3:::{bucket}{path}"
    if event_name.endswith(".ListObjectsV2"):
        return "s3:ListBucket", f"arn:aws:s3:::{bucket}"
    raise AssertionError(f"COPY's {event_name} is not known here: say what it is in IAM.")
