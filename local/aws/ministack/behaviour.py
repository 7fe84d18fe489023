"""Differences between MiniStack and AWS in behaviour: event sources, roles, functions' errors, stopped executions.

Each function here fixes one difference; local/aws/ministack/__init__.py lists them all.
"""

import hashlib
import json
import threading
import time
import types
import zipfile
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator, lambda_runtime
from ministack.services import lambda_svc, sqs, stepfunctions

MAX_BATCH = 10_000
MAX_BATCH_BYTES = 6 * 1024 * 1024
"""The largest payload of one invocation."""
MESSAGE_OVERHEAD = 800
"""Bytes of a record around its body, roughly: ids, receipt handle, attributes."""

_MARK = "\x1e"
"""Delimits the class name between the worker's response and Lambda's."""

_DIED = (
    "Worker process died",
    "Worker returned no response",
    "[Errno 32] Broken pipe",
    "Worker process exited immediately",
)
"""How MiniStack's messages begin for a worker that ended before it responded, the last one while it started."""

_execution: ContextVar[dict[str, Any] | None] = ContextVar("execution", default=None)
"""The execution whose task this thread is running."""


class ExecutionStopped(Exception):
    """The execution was stopped; it does nothing more."""


def gather_batches() -> None:
    """Makes the SQS event source honour BatchSize and MaximumBatchingWindowInSeconds."""

    def receive(queue_url: str, batch_size: int) -> list[dict[str, Any]]:
        with sqs._queues_lock:
            queue = sqs._get_q(queue_url)
            sqs._expire_retained(queue)
            sqs._dlq_sweep(queue)
            now = time.time()
            waiting = [m for m in queue["messages"] if _visible_since(m) <= now]
            size = min(int(batch_size or 1), MAX_BATCH)
            window = _window(queue["attributes"].get("QueueArn", ""))
            if not waiting:
                return []
            age = now - min(map(_visible_since, waiting))
            if len(waiting) < size and age < window:
                return []
            visibility = int(queue["attributes"].get("VisibilityTimeout", "30"))
            found: list[dict[str, Any]] = sqs._collect_msgs(
                queue, _fitting(waiting[:size]), visibility
            )
            return found

    sqs._receive_messages_for_esm = receive


def _window(queue_arn: str) -> float:
    """The batching window of the event source mapping of a queue, in seconds."""
    for _, _, mapping in lambda_svc._iter_all_esms():
        if mapping.get("EventSourceArn") == queue_arn:
            return float(mapping.get("MaximumBatchingWindowInSeconds") or 0)
    return 0.0


def _visible_since(message: dict[str, Any]) -> float:
    """When a message becomes visible, in seconds since 1970."""
    return float(message.get("visible_at", message["sent_at"]))


def _fitting(messages: list[dict[str, Any]]) -> int:
    """How many of the messages, from the first, fit into one invocation; at least one."""
    total = 0
    for index, message in enumerate(messages):
        total += len(message["body"]) + MESSAGE_OVERHEAD
        if total > MAX_BATCH_BYTES:
            return max(index, 1)
    return len(messages)


def take_numbers() -> None:
    """Converts the MaximumConcurrency of an event source to a number if it comes from a template parameter."""
    concurrency: Callable[..., int] = lambda_svc._sqs_esm_concurrency

    def concurrency_of(mapping: dict[str, Any], *others: Any, **named: Any) -> int:
        scaling = mapping.get("ScalingConfig") or {}
        if isinstance(scaling.get("MaximumConcurrency"), str):
            scaling["MaximumConcurrency"] = int(scaling["MaximumConcurrency"])
        return concurrency(mapping, *others, **named)

    lambda_svc._sqs_esm_concurrency = concurrency_of


def count_as_tls() -> None:
    """Makes aws:SecureTransport true. Call it before ministack.app is imported, which binds the function."""
    pin: Callable[[str, bool], None] = iam_evaluator.pin_request_origin

    def pin_as_tls(source_ip: str, secure_transport: bool) -> None:
        del secure_transport
        pin(source_ip, True)

    iam_evaluator.pin_request_origin = pin_as_tls


def share_role_credentials(principals: Path) -> None:
    """Makes the functions of one role one identity; ``principals`` gets their database user.

    The file is JSON: the access key id of a role's functions, and ``IAMR:`` with the role's name
    (https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-access.html).
    """
    credentials: Callable[[dict[str, Any]], dict[str, str]] = lambda_runtime.execution_credentials
    writing = threading.Lock()

    def credentials_of_role(config: dict[str, Any]) -> dict[str, str]:
        role = str(config.get("Role", "")).rpartition("/")[2]
        account = str(config.get("FunctionArn", "")).rpartition(":")[0]
        given = credentials({**config, "FunctionArn": f"{account}:role-{role}"})
        key = given["AWS_ACCESS_KEY_ID"]
        with writing:
            known = json.loads(principals.read_text()) if principals.exists() else {}
            if known.get(key) != f"IAMR:{role}":
                known[key] = f"IAMR:{role}"
                new = principals.with_suffix(".new")
                new.write_text(json.dumps(known, indent=2, sort_keys=True))
                new.replace(principals)
        return given

    lambda_runtime.execution_credentials = credentials_of_role


def name_errors() -> None:
    """Makes an exception of a Python handler arrive with its class name, as on AWS."""
    plain = '"error": str(e), "trace"'
    named = f'"error": {_MARK!r} + type(e).__name__ + {_MARK!r} + str(e), "trace"'
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if plain not in script:
        raise RuntimeError(
            "MiniStack's Python worker has changed: check local/aws/ministack/behaviour.py."
        )
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(plain, named)
    execute: Callable[..., dict[str, Any]] = lambda_svc._execute_function_warm

    def execute_named(*args: Any, **kwargs: Any) -> dict[str, Any]:
        answer = execute(*args, **kwargs)
        body = answer.get("body")
        if answer.get("error") and isinstance(body, dict):
            message = str(body.get("errorMessage", ""))
            if message.startswith(_MARK):
                _, name, message = message.split(_MARK, 2)
                answer["body"] = {**body, "errorType": name, "errorMessage": message}
            elif message.startswith(_DIED):
                answer["body"] = {
                    "errorType": "Runtime.ExitError",
                    "errorMessage": "Error: Runtime exited with error: signal: killed",
                }
        return answer

    lambda_svc._execute_function_warm = execute_named


def stop_at_once() -> None:
    """Makes a stopped execution enter no state, retry nothing and stay ABORTED."""
    task: Callable[..., Any] = stepfunctions._execute_task
    fail: Callable[..., None] = stepfunctions._fail_execution

    def execute_task(state: Any, given: Any, execution: dict[str, Any], *others: Any) -> Any:
        token = _execution.set(execution)
        try:
            return task(state, given, execution, *others)
        finally:
            _execution.reset(token)

    def unless_stopped(invoke: Callable[..., Any]) -> Callable[..., Any]:
        def invoke_running(*args: Any) -> Any:
            execution = _execution.get()
            if execution and execution["status"] != "RUNNING":
                raise ExecutionStopped(execution["executionArn"])
            return invoke(*args)

        return invoke_running

    def fail_running(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    stepfunctions._execute_task = execute_task
    stepfunctions._invoke_resource = unless_stopped(stepfunctions._invoke_resource)
    stepfunctions._invoke_resource_with_timeout = unless_stopped(
        stepfunctions._invoke_resource_with_timeout
    )
    stepfunctions._fail_execution = fail_running


def unpack_once(folder: Path) -> None:
    """Makes all processes share one copy, in ``folder``, of code and layers with the same content."""
    unpacking = threading.Lock()

    class Shared(zipfile.ZipFile):
        def extractall(self, path: Any = None, *others: Any, **named: Any) -> None:
            archive = Path(str(self.filename))
            shared = folder / hashlib.sha256(archive.read_bytes()).hexdigest()
            with unpacking:
                if not shared.exists():
                    new = shared.with_suffix(".new")
                    super().extractall(new, *others, **named)
                    new.replace(shared)
            Path(path).rmdir()
            Path(path).symlink_to(shared)

    lambda_runtime.zipfile = types.SimpleNamespace(**{**vars(zipfile), "ZipFile": Shared})


def apply(principals: Path, unpacked: Path) -> None:
    """Applies all of it. Call it before ministack.app is imported."""
    gather_batches()
    take_numbers()
    count_as_tls()
    share_role_credentials(principals)
    name_errors()
    stop_at_once()
    unpack_once(unpacked)
