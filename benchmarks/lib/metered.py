"""The simulator with a meter: the real functions, state machine and, unless a test answers instead, SQL.

Times are a model, whose figures are GIVEN: a statement has its seconds, a function's call to AWS some milliseconds.
What a function computes is measured here, in processor seconds, without the fakes of AWS in the same process; Lambda
gives a function of less than 1,769 MB its share of a processor
(docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.lib.pages import Pages, page
from fakeshift import Isolation
from tests.world import recordings
from tests.world.boundary import Call
from tests.world.counting import Counts, queue_requests, transitions
from tests.world.product import TEMPLATE
from tests.world.scene import Answer, Reply, Submitted, ToldRedshift, told
from tests.world.simulator import World
from tests.world.template import Function

CALL_SECONDS = 0.03
STATEMENT_SECONDS = {"plan": 1.0, "stage": 3.0, "publish": 2.0, "find": 2.0}
OTHER_SECONDS = 0.5
"""GIVEN: a call of a function to AWS, and the run time of its statements by the second word of their names."""

WHOLE_PROCESSOR = 1769  # MB
_UNCOUNTED = ("lambda.Invoke", "states.StartExecution")


def memory(function: str) -> int:
    """A function's MB, by its logical name in template.yaml."""
    common = TEMPLATE["Globals"]["Function"]["MemorySize"]
    return int(TEMPLATE["Resources"][function]["Properties"].get("MemorySize", common))


def seconds_of(what: str) -> float:
    """The run time that a batch of statements is given."""
    return STATEMENT_SECONDS.get(what, OTHER_SECONDS)


class Metered(World):
    """A World that counts from ``begin`` on."""

    def __init__(self, folder: Path, **given: Any) -> None:
        super().__init__(folder, **given)
        self._of_copy: Counter[str] = Counter()
        self.copies.calls = _Counted(self._of_copy)
        self._send, self._own = self.boundary.send, threading.local()
        self.boundary.send = self._timed_send  # type: ignore[method-assign,assignment]
        if not isinstance(self.warehouse, ToldRedshift):
            services = self.boundary._services
            self._operation = services["redshift-data"]
            services["redshift-data"] = self._operation_with_time
        self.begin()

    def begin(self) -> None:
        """Forgets what was counted."""
        self._from_call = len(self.boundary.calls)
        self._from_execution = len(self.executions.all)
        self._of_copy.clear()
        self._invocations: Counter[str] = Counter()
        self._gb_seconds = 0.0
        self._sqs = 0
        self._ran = 0.0
        self._tokens: set[str] = set()

    def counts(self) -> Counts:
        """What was used since ``begin``."""
        found = Counts(
            invocations=Counter(self._invocations),
            gb_seconds=self._gb_seconds,
            s3=Counter(self._of_copy),
            sqs=self._sqs,
            warehouse=self._ran,
        )
        for execution in self.executions.all[self._from_execution :]:
            assert execution.interpreter is not None
            history = execution.interpreter.history
            found.executions += 1
            found.history += len(history)
            found.transitions += transitions(history)
        for call in self.calls:
            service, _, operation = call.place.operation.partition(".")
            if service == "redshift-data":
                found.data_api[operation] += max(call.attempts, 1)
            elif service == "s3":
                found.s3[operation] += max(call.attempts, 1)
            elif call.place.caller == "rule":
                found.events += 1
            elif service == "events":
                found.events += len(call.given["events:source"])
        if isinstance(self.warehouse, ToldRedshift):
            found.warehouse = told_seconds(self.warehouse)
        return found

    @property
    def calls(self) -> list[Call]:
        """All calls since ``begin``, in their order."""
        return self.boundary.calls[self._from_call :]

    def invoke(self, function: Function, payload: Any, execution: str = "") -> Any:
        """An invocation; its memory by its time is added up."""
        if function.logical == "TriggerFunction":
            self._sqs += queue_requests(len(payload["Records"]))
        size = memory(function.logical)
        told_too = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(size)}  # as Lambda does
        function = replace(function, environment={**function.environment, **told_too})
        self._own.sent, calls = 0.0, len(self.boundary.calls)
        clock, processor = self.clock.time(), time.thread_time()
        try:
            return super().invoke(function, payload, execution)
        finally:
            own = time.thread_time() - processor - self._own.sent
            made = sum(
                call.place.operation not in _UNCOUNTED for call in self.boundary.calls[calls:]
            )
            took = self.clock.time() - clock + made * CALL_SECONDS
            took += own * max(WHOLE_PROCESSOR / size, 1)
            self._gb_seconds += took * size / 1024
            self._invocations[function.short] += 1

    def _timed_send(self, *given: Any) -> Any:
        began = time.thread_time()
        try:
            return self._send(*given)
        finally:
            self._own.sent = getattr(self._own, "sent", 0.0) + time.thread_time() - began

    def _operation_with_time(self, name: str, request: dict[str, Any], caller: Any) -> Any:
        """A batch that has ended when its submission is answered has taken its given seconds."""
        token = request.get("ClientToken", "")
        answer = self._operation(name, request, caller)
        if name == "BatchExecuteStatement" and token not in self._tokens:
            self._tokens.add(token)
            seconds = seconds_of(request["StatementName"].split()[1])
            self._ran += seconds
            self.clock.advance(seconds)
        return answer


class _Counted(set[tuple[str, str]]):
    """COPY's requests, each of them counted by its operation."""

    def __init__(self, counter: Counter[str]) -> None:
        super().__init__()
        self._counter = counter

    def add(self, call: tuple[str, str]) -> None:
        names = {"s3:GetObject": "GetObject (COPY)", "s3:ListBucket": "ListObjectsV2"}
        self._counter[names[call[0]]] += 1
        super().add(call)


def told_seconds(redshift: ToldRedshift) -> float:
    """The seconds of all that a simulated warehouse was given to run."""
    return sum(reply.seconds for _, reply, _ in redshift._known.values())


def timed(answer: Answer, **seconds: float) -> Answer:
    """Answers that take their given seconds, or others by the second word of the statements' names."""

    def answered(submitted: Submitted) -> Reply:
        reply = answer(submitted)
        reply.seconds = seconds.get(submitted.what, seconds_of(submitted.what))
        return reply

    return answered


class PagedRedshift(ToldRedshift):
    """One whose results of many numbers come in pages."""

    def _rows(self, request: dict[str, Any], caller: Any) -> dict[str, Any]:
        key, _, number = request["Id"].partition(":")
        rows = self._known[key][1].rows.get(int(number), ())
        return page(request, rows) if isinstance(rows, Pages) else super()._rows(request, caller)


@contextmanager
def simulated(folder: Path, answer: Answer, **parameters: int) -> Iterator[Metered]:
    """A metered world whose warehouse answers as ``answer`` says."""
    with mock.patch("tests.world.simulator.Warehouse", PagedRedshift):
        world = Metered(folder, parameters={name: str(value) for name, value in parameters.items()})
    with world:
        redshift = told(world)
        redshift.answer = answer
        redshift.read = lambda uri: _document(world, uri)
        yield world


def _document(world: Metered, uri: str) -> Any:
    return json.loads(world._body(*uri.removeprefix("s3://").split("/", 1)))


@contextmanager
def real(isolation: Isolation = "snapshot", **parameters: str) -> Iterator[Metered]:
    """A metered world with the local Redshift, whose tables have a day's files already."""
    with (
        mock.patch("tests.world.recordings.World", Metered),
        recordings.new_world(isolation=isolation, parameters=parameters) as world,
    ):
        assert isinstance(world, Metered)
        world.begin()
        yield world
