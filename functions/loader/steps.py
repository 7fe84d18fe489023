"""The frame of a step, and how it waits for its statement without a function that runs for minutes.

A step submits a statement, waits up to WAIT_SECONDS, and returns ``running`` if it has not ended. The state machine
then calls the step again with what it returned, and it waits for up to PATIENCE seconds more.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from loader import usage
from loader.dataapi import DataApi, Statement, StatementLost, failure
from loader.failures import Kind, kind_of
from loader.observability import logger, metrics
from loader.settings import settings

if TYPE_CHECKING:
    from loader.state import BatchState, Load, Pending


# An execution has 25,000 events, and each call uses seven: a day of waiting must not use them up. The timeouts of the
# functions that wait, and of their states, are longer.
PATIENCE = 220  # seconds
# Behind the lock: a load that publishes takes minutes, and Redshift Serverless ends a transaction that was idle for six
# hours (docs.aws.amazon.com/redshift/latest/mgmt/amazon-redshift-limits.html). Whatever holds the lock longer is stuck.
LONGEST_WAIT = 6 * 3600  # seconds
AT_ONCE = 1  # seconds: if the answer came sooner, the Data API does not wait at the moment

LONGEST_PAUSE = 20  # seconds between two attempts

Event = TypeVar("Event")


def step(function: Callable[[Event], Any]) -> Callable[[Any, Any], dict[str, Any]]:
    """Turns a step of the state machine into a Lambda handler: event in, outcome out. Logs the outcome, adds the usage.

    Every log line has the load's id, the batch and the execution.
    """

    @metrics.log_metrics
    @logger.inject_lambda_context(clear_state=True)
    @functools.wraps(function)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        load, batch = event.get("load") or {}, event.get("batch") or {}
        logger.append_keys(
            load_id=load.get("load_id"),
            execution=load.get("execution") or event.get("execution"),
            batch=batch.get("batch"),
        )
        usage.start_call()
        result = function(cast(Event, event))
        logger.info("step ended", outcome=result.get("outcome"))
        before = (batch or load).get("spent")
        name = function.__module__.rpartition(".")[2]
        return {**result, "spent": usage.add_call(name, before)}

    return handler


LOST = Statement("", "LOST")


def took_too_long(pending: Pending | None) -> str:
    """Why a statement was cancelled for its time limit; '' if it was not."""
    if not (pending or {}).get("cancelled"):
        return ""
    if (pending or {}).get("cancelled") == "lock":
        return (
            f"It waited {LONGEST_WAIT // 3600} hours for the lock on {settings().loader_schema}.publish_lock and was "
            "cancelled. The view svv_transactions shows who holds it: end that session. The next load tries again."
        )
    return (
        f"A statement took over {settings().statement_timeout} seconds and was cancelled. Give it more time "
        "(the stack's parameter StatementTimeoutSeconds) or less to do (BatchFiles, BatchBytes)."
    )


@dataclass(frozen=True)
class Ending:
    """Why a statement did not finish. ``error``: Redshift's words, or a sentence of the loader's."""

    kind: Kind
    error: str
    statement: Statement


def ending(api: DataApi, statement: Statement, pending: Pending | None, what: str) -> Ending:
    """How a statement of ``advance`` ended that did not finish. ``what`` follows "the statement that" in a message."""
    if cause := took_too_long(pending):
        return Ending(Kind.TOO_LONG, cause, statement)
    try:
        statement = LOST if statement is LOST else api.describe(statement.id)
    except StatementLost:
        statement = LOST
    if statement is LOST:
        error = f"The Data API no longer knows the statement that {what}."
        return Ending(Kind.LOST, error, statement)
    return Ending(kind_of(statement), failure(statement), statement)


def pause(attempt: int) -> None:
    """Waits before another attempt, longer each time: a throttled bucket or a restart needs time to recover."""
    time.sleep(min(2 ** max(attempt - 1, 0), LONGEST_PAUSE))


def polls(seconds: float) -> Iterator[int]:
    """Yields 0, 1, 2, …: at once, and then after growing pauses until so many seconds have passed."""
    until = time.monotonic() + seconds
    number = 0
    while True:
        yield number
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(2**number, left))
        number += 1


def advance(
    api: DataApi,
    pending: Pending | None,
    submit: Callable[[], Statement],
    *,
    behind_lock: bool = False,
) -> tuple[Statement, Pending]:
    """Submits the statement, or continues to wait; returns it and what the next call needs to know about it.

    A statement past its limit is cancelled, and then awaited, because it may have committed. With ``behind_lock`` the
    time until the batch's first statement, its LOCK, has ended does not count; it has a separate limit. A statement
    that the Data API no longer knows is returned as LOST. If the Data API does not wait, this function does, longer
    each time: the state machine would call again at once.
    """
    limit = settings().statement_timeout
    if pending is None:
        statement = submit()
        return statement, {"id": statement.id, "since": time.time()}
    until = time.monotonic() + PATIENCE
    try:
        while True:
            asked = time.monotonic()
            statement = api.describe(pending["id"], settings().wait_seconds)
            answered = time.monotonic()
            if not statement.running or answered > until or answered - asked < AT_ONCE:
                break
            if time.time() - pending["since"] > limit and not pending.get("cancelled"):
                break
    except StatementLost:
        return LOST, pending
    if not statement.running:
        return statement, pending
    pending = {**pending}
    if behind_lock and statement.parts and statement.parts[0].status != "FINISHED":
        pending.setdefault("locked_out_since", pending["since"])
        pending["since"] = time.time()
        if pending["since"] - pending["locked_out_since"] > LONGEST_WAIT and not pending.get(
            "cancelled"
        ):
            api.cancel(pending["id"])
            pending["cancelled"] = "lock"
    elif time.time() - pending["since"] > limit and not pending.get("cancelled"):
        api.cancel(pending["id"])
        pending["cancelled"] = True
    if answered - asked < AT_ONCE:
        pauses = pending.get("pauses", 0)
        time.sleep(min(2**pauses, max(until - answered, 0)))
        pending["pauses"] = pauses + 1
    return statement, pending


State = TypeVar("State", "Load", "BatchState")


def without(state: State, *names: str) -> State:
    """The state without these keys."""
    return cast("State", {name: value for name, value in state.items() if name not in names})


def only(state: BatchState, *names: str) -> BatchState:
    """These keys of the state, if it has them."""
    return cast("BatchState", {name: value for name, value in state.items() if name in names})
