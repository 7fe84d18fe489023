"""Lambda's concurrency: how many invocations run at once, and what happens to further ones.

The evidence is in local/aws/ministack/__init__.py. MiniStack counts invocations itself
(LAMBDA_ACCOUNT_CONCURRENCY, which local/aws/server.py sets).
"""

import json
import time
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sqs, stepfunctions

THROTTLED = "Lambda.TooManyRequestsException"
RETRY_AFTER = 1.0


def bound_processes() -> None:
    """Makes a new process replace the one that has been idle the longest, so that there are never
    more than there may be invocations. MiniStack keeps each for minutes, of every function as many as it ever ran.
    """
    acquire: Callable[..., Any] = lambda_svc.acquire_worker

    def acquire_in_its_place(*given: Any, **named: Any) -> Any:
        worker, how = acquire(*given, **named)
        if how == "spawn":
            lambda_runtime.kill_workers(_surplus())
        return worker, how

    lambda_svc.acquire_worker = acquire_in_its_place


def _surplus() -> list[Any]:
    """Removes excess processes from their pools: those idle the longest."""
    with lambda_runtime._lock:
        pools = lambda_runtime._workers
        too_many = sum(map(len, pools.values())) - lambda_svc._ACCOUNT_CONCURRENCY_CAP
        idle = [worker for pool in pools.values() for worker in pool if not worker.in_use]
        idle = sorted(idle, key=lambda worker: worker.last_used)[: max(too_many, 0)]
        for pool in pools.values():
            pool[:] = [worker for worker in pool if worker not in idle]
    return idle


def name_throttling() -> None:
    """Makes a task whose function is throttled fail with the error that a state machine's Retry names."""
    call: Callable[[Any, Any], Any] = stepfunctions._call_lambda

    def call_named(function: Any, event: Any) -> Any:
        try:
            return call(function, event)
        except stepfunctions._ExecutionError as error:
            cause = _body(error.cause)
            if cause.get("__type") != "TooManyRequestsException":
                raise
            text = f"{cause['message']} (Service: Lambda, Status Code: 429)"
            raise stepfunctions._ExecutionError(THROTTLED, text) from error

    stepfunctions._call_lambda = call_named


def _body(text: Any) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def until_there_is_room(invoke: Callable[[], dict[str, Any]], queue_arn: str) -> dict[str, Any]:
    """An invocation by an SQS event source: retried while it is throttled, until its messages are visible again."""
    queue = sqs._queue_by_arn(queue_arn) if ":sqs:" in queue_arn else None
    seconds = float(queue["attributes"].get("VisibilityTimeout") or 30) if queue else 0.0
    until = time.monotonic() + seconds
    result = invoke()
    while result.get("throttle") and time.monotonic() + RETRY_AFTER < until:
        time.sleep(RETRY_AFTER)
        result = invoke()
    return result


def apply() -> None:
    """All of it; before ministack.app is imported."""
    bound_processes()
    name_throttling()
