"""An interpreter of Amazon States Language (JSONata) that runs tasks in this process.

Errors, retries, limits and history events are those of Step Functions; nothing sleeps.
Source: states-language.net/spec.html, docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html,
…/dg/service-quotas.html, …/dg/redrive-executions.html, …/apireference/API_HistoryEvent.html. Where these say nothing,
recordings of AWS decide (docs/recorded.md).
"""

import json
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local.states import query
from local.states.definition import Definition, prepared

MAX_PAYLOAD = 262_144  # bytes of UTF-8: a state's input, arguments, result, output; a variable; all of one Assign
MAX_VARIABLES = 10 * 1024 * 1024  # bytes: all variables of an execution
MAX_EVENTS = 25_000  # of an execution's history
MAX_INLINE_CONCURRENCY = 40  # iterations of an inline Map at a time
NOTHING: Mapping[str, Any] = {}
ROLE = "arn:aws:iam::123456789012:role/state-machine"
JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}


class TaskFailed(Exception):
    """Raised by the code that runs tasks, with the error name and cause that Step Functions would have."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause

    @classmethod
    def of(cls, raised: BaseException) -> "TaskFailed":
        """An exception of a Python handler as Step Functions sees it: the name of its class, and a JSON cause.

        Source: docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
        """
        cause = {
            "errorMessage": str(raised),
            "errorType": type(raised).__name__,
            "requestId": "00000000-0000-0000-0000-000000000000",
            "stackTrace": traceback.format_tb(raised.__traceback__),
        }
        return cls(type(raised).__name__, json.dumps(cause))


class Stopped(BaseException):
    """Raised by a hook: StopExecution. The execution ends ABORTED, and can be redriven."""


class _Aborted(BaseException):
    """An iteration is abandoned because another iteration of its Map failed or the execution was stopped."""


class StateFailed(Exception):
    """A state failed, and neither its Retry nor its Catch handled the error."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause

    @property
    def output(self) -> dict[str, str]:
        return {"Error": self.error, "Cause": self.cause}


class _TimedOut(BaseException):
    """The execution took longer than the state machine's TimeoutSeconds."""


GIVEN_UP = (Stopped, _Aborted, _TimedOut)


@dataclass(frozen=True)
class Task:
    """A call that a Task state makes. ``timeout`` in seconds; ``context`` is the context object of the state."""

    state: str
    resource: str
    arguments: Any
    timeout: int | None
    context: Mapping[str, Any]


@dataclass(frozen=True)
class Event:
    """A history event: its type as in GetExecutionHistory, and the details that apply.

    ``details``: input, output, parameters (values), error, cause, index (of a Map iteration).
    """

    id: int
    type: str
    state: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Ended:
    """How an execution ended: SUCCEEDED, FAILED, ABORTED or TIMED_OUT."""

    status: str
    output: Any
    error: str
    cause: str
    history: list[Event]

    def count(self, kind: str) -> int:
        return sum(event.type == kind for event in self.history)

    def entered(self) -> list[str]:
        """The states that were entered, in order."""
        return [event.state for event in self.history if event.type.endswith("StateEntered")]


@dataclass
class _Frame:
    """The position in a sequence of states, of the execution or of a Map iteration. A redrive continues from it."""

    state: str
    input: Any
    outer: "_Frame | None" = None
    item: Mapping[str, Any] | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    entered: bool = False
    entered_by: int = 0  # the event's id
    started: bool = False
    done: bool = False
    output: Any = None
    iterations: "list[_Frame]" = field(default_factory=list)  # of the Map state that it is in
    given_up: threading.Event = field(default_factory=threading.Event)

    def visible(self) -> dict[str, Any]:
        return {**(self.outer.visible() if self.outer else {}), **self.variables}

    def is_given_up(self) -> bool:
        return self.given_up.is_set() or (self.outer is not None and self.outer.is_given_up())


@dataclass(frozen=True)
class _Step:
    """How a state ended: the next state (None: the sequence ends), its output, the variables it assigns."""

    following: str | None
    output: Any
    assigned: Mapping[str, Any]


class Interpreter:
    """Runs one definition; one execution at a time.

    call      the task's result as Step Functions has it: for lambda:invoke {"Payload": …, "StatusCode": 200,
              "ExecutedVersion": "$LATEST"}; raises TaskFailed
    wait      called with the seconds that a retry (with jitter: at most) or a Wait state waits
    enter     called with the name of each state that is entered; may raise Stopped
    clock     seconds; if not given, only waits take time
    parallel  runs Map iterations in threads, up to MaxConcurrency; otherwise one after another, in the order of items
    wildcards_take_data_limit
              whether States.ALL matches States.DataLimitExceeded. AWS's documentation says that it does not
              (concepts-error-handling, "Error names"); recordings of AWS say that it does (docs/recorded.md). A
              definition must work either way.
    """

    def __init__(
        self,
        definition: Mapping[str, Any],
        call: Callable[[Task], Any],
        *,
        wait: Callable[[float], None] = lambda _seconds: None,
        enter: Callable[[str], None] = lambda _state: None,
        clock: Callable[[], float] | None = None,
        parallel: bool = False,
        wildcards_take_data_limit: bool = False,
        substitutions: Mapping[str, str] | None = None,
    ) -> None:
        names = tuple(sorted((substitutions or {}).items()))
        self._machine = prepared(json.dumps(definition), names)
        self._call = call
        self._wait_hook = wait
        self._enter = enter
        self._parallel = parallel
        self._wildcards_take_data_limit = wildcards_take_data_limit
        self._waited = 0.0
        self._clock = clock or (lambda: self._waited)
        self._lock = threading.RLock()
        self._history: list[Event] = []
        self._frame: _Frame | None = None
        self._status = ""
        self._context: dict[str, Any] = {}
        self._began = 0.0

    def run(self, document: Any, *, execution: str, state_machine: str, started: str) -> Ended:
        """Runs an execution of this input to its end. ``execution``, ``state_machine``: ARNs; ``started``: ISO 8601."""
        document = _sized(document, "the execution's input")
        self._context = {
            "Execution": {
                "Id": execution,
                "Input": document,
                "Name": execution.rsplit(":", 1)[-1],
                "StartTime": started,
                "RoleArn": ROLE,
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": state_machine, "Name": state_machine.rsplit(":", 1)[-1]},
        }
        self._history = []
        self._record("ExecutionStarted", input=document)
        self._frame = _Frame(self._machine["StartAt"], document)
        return self._to_the_end()

    def redrive(self) -> Ended:
        """Continues the last run from its unsuccessful states, with the same input; finished Map iterations stay."""
        if self._frame is None or self._status not in ("FAILED", "ABORTED", "TIMED_OUT"):
            raise ValueError("Only an execution that ended without success can be redriven.")
        if len(self._history) >= MAX_EVENTS - 1:
            raise ValueError("An execution with a full history cannot be redriven.")
        self._context["Execution"]["RedriveCount"] += 1
        self._record("ExecutionRedriven")
        return self._to_the_end()

    @property
    def history(self) -> list[Event]:
        """The events of the last execution up to now."""
        with self._lock:
            return list(self._history)

    # ------------------------------------------------------------ the execution
    def _to_the_end(self) -> Ended:
        if (frame := self._frame) is None:
            raise ValueError("Nothing has run yet.")
        self._began = self._clock()
        output, error, cause = None, "", ""
        try:
            output = self._walk(self._machine, frame)
            self._status, kind = "SUCCEEDED", "ExecutionSucceeded"
        except StateFailed as failure:
            error, cause = failure.error, failure.cause
            self._status, kind = "FAILED", "ExecutionFailed"
        except Stopped:
            self._status, kind = "ABORTED", "ExecutionAborted"
        except _TimedOut:
            error = "States.Timeout"
            self._status, kind = "TIMED_OUT", "ExecutionTimedOut"
        details = (
            {"output": output} if kind == "ExecutionSucceeded" else {"error": error, "cause": cause}
        )
        self._history.append(Event(len(self._history) + 1, kind, "", details))
        return Ended(self._status, output, error, cause, list(self._history))

    def _record(self, kind: str, state: str = "", **details: Any) -> int:
        """Adds an event and returns its id."""
        with self._lock:
            if len(self._history) >= MAX_EVENTS - 1:
                raise StateFailed(
                    "States.Runtime",
                    f"The execution reached the maximum number of history events ({MAX_EVENTS}).",
                )
            self._history.append(Event(len(self._history) + 1, kind, state, details))
            return len(self._history)

    def _given_up(self, frame: _Frame) -> None:
        """Raises if this frame's result is no longer needed."""
        if frame.is_given_up():
            raise _Aborted
        limit = self._machine.get("TimeoutSeconds")
        if limit and self._clock() - self._began > limit:
            raise _TimedOut

    def _wait(self, seconds: float) -> None:
        with self._lock:
            self._waited += seconds
        self._wait_hook(seconds)

    # ------------------------------------------------------------ a sequence of states
    def _walk(self, machine: Definition, frame: _Frame) -> Any:
        """Runs states until one ends the sequence; returns its output. Raises StateFailed."""
        while not frame.done:
            state = machine["States"][frame.state]
            step = self._run_state(frame, state)
            frame.variables.update(step.assigned)
            if step.following is None:
                frame.done, frame.output = True, step.output
            else:
                frame.state, frame.input = step.following, step.output
                frame.entered, frame.iterations = False, []
        return frame.output

    def _run_state(self, frame: _Frame, state: Definition) -> _Step:
        kind: str = state["Type"]
        self._given_up(frame)
        if not frame.entered or kind == "Fail":
            frame.entered_by = self._record(f"{kind}StateEntered", frame.state, input=frame.input)
        try:
            if not frame.entered or kind == "Fail":
                frame.entered = True
                self._enter(frame.state)
            step = {
                "Task": self._task,
                "Map": self._map,
                "Choice": self._choice,
                "Pass": self._pass,
                "Wait": self._pass,
                "Succeed": self._pass,
                "Fail": self._fail,
            }[kind](frame, state)
        except GIVEN_UP:
            if kind in ("Task", "Map", "Wait"):
                self._record(f"{kind}StateAborted", frame.state)
            raise
        self._record(f"{kind}StateExited", frame.state, output=step.output, assigned=step.assigned)
        return step

    def _pass(self, frame: _Frame, state: Definition) -> _Step:
        context = self._state_context(frame)
        if state["Type"] == "Wait":
            self._wait(self._typed(frame, state, "Seconds", 0, context, "number"))
        return self._ended(frame, state, state.get("Next"), context, frame.input)

    def _choice(self, frame: _Frame, state: Definition) -> _Step:
        context = self._state_context(frame)
        for rule in state["Choices"]:
            if self._typed(frame, rule, "Condition", False, context, "boolean"):
                return self._ended(frame, rule, rule["Next"], context, frame.input)
        if "Default" not in state:
            raise StateFailed("States.NoChoiceMatched", f"No rule of {frame.state!r} is met.")
        return self._ended(frame, state, state["Default"], context, frame.input)

    def _fail(self, frame: _Frame, state: Definition) -> _Step:
        context = self._state_context(frame)
        error, cause = (
            self._typed(frame, state, name, "", context, "string") for name in ("Error", "Cause")
        )
        raise StateFailed(error, cause)

    def _task(self, frame: _Frame, state: Definition) -> _Step:
        def attempt(context: Mapping[str, Any]) -> _Step:
            arguments = self._field(frame, state, "Arguments", frame.input, context)
            arguments = _sized(arguments, f"the arguments of {frame.state!r}")
            timeout = self._field(frame, state, "TimeoutSeconds", None, context)
            self._record("TaskScheduled", frame.state, parameters=arguments, timeout=timeout)
            self._record("TaskStarted", frame.state)
            try:
                result = self._call(
                    Task(frame.state, state["Resource"], arguments, timeout, context)
                )
            except TaskFailed as failure:
                kind = "TaskTimedOut" if failure.error == "States.Timeout" else "TaskFailed"
                self._record(kind, frame.state, error=failure.error, cause=failure.cause)
                raise StateFailed(failure.error, failure.cause) from failure
            self._given_up(frame)
            result = self._result(frame, state, result)
            self._record("TaskSucceeded", frame.state, output=result)
            return self._ended(frame, state, state.get("Next"), context, result, {"result": result})

        return self._handled(frame, state, attempt)

    def _result(self, frame: _Frame, state: Definition, result: Any) -> Any:
        """A task's result; raises StateFailed for one that is too large, in AWS's words."""
        try:
            return _sized(result, "the result")
        except StateFailed as failure:
            service = state["Resource"].split(":")[-2]
            cause = (
                f"The state/task '{service}' returned a result with a size exceeding the maximum "
                "number of bytes service limit."
            )
            self._record("TaskFailed", frame.state, error=failure.error, cause=cause)
            raise StateFailed(failure.error, cause) from failure

    # ------------------------------------------------------------ Map
    def _map(self, frame: _Frame, state: Definition) -> _Step:
        def attempt(context: Mapping[str, Any]) -> _Step:
            if not frame.iterations or context["State"]["RetryCount"]:
                items = self._typed(frame, state, "Items", frame.input, context, "array")
                frame.iterations = self._iterations(frame, state, context, items)
                self._record("MapStateStarted", frame.state, length=len(frame.iterations))
            most = self._typed(frame, state, "MaxConcurrency", 0, context, "number")
            frame.given_up = threading.Event()
            try:
                self._iterate(frame, state["ItemProcessor"], most)
                result = [iteration.output for iteration in frame.iterations]
                result = _sized(result, f"the result of {frame.state!r}")
            except StateFailed as failure:
                if failure.error == "States.DataLimitExceeded":
                    frame.iterations = []  # redrive runs all of them again
                raise
            self._record("MapStateSucceeded", frame.state)
            return self._ended(frame, state, state.get("Next"), context, result, {"result": result})

        return self._handled(frame, state, attempt)

    def _iterations(
        self, frame: _Frame, state: Definition, context: Mapping[str, Any], items: Sequence[Any]
    ) -> list[_Frame]:
        found = []
        for index, value in enumerate(items):
            item = {"Index": index, "Value": value}
            inside = {**context, "Map": {"Item": item}}
            selected = self._field(frame, state, "ItemSelector", value, inside)
            selected = _sized(selected, f"the input of iteration {index} of {frame.state!r}")
            start = state["ItemProcessor"]["StartAt"]
            found.append(_Frame(start, selected, outer=frame, item=item))
        return found

    def _iterate(self, frame: _Frame, machine: Definition, most: int) -> None:
        """Runs the iterations that are not done; raises what the first that failed raised."""
        todo = [(index, one) for index, one in enumerate(frame.iterations) if not one.done]
        if not self._parallel:
            for index, iteration in todo:
                self._iteration(frame.state, machine, index, iteration)
            return
        raised: list[BaseException] = []

        def in_thread(index: int, iteration: _Frame) -> None:
            if frame.is_given_up():
                return
            try:
                self._iteration(frame.state, machine, index, iteration)
            except _Aborted:
                return
            except BaseException as error:
                with self._lock:
                    raised.append(error)
                frame.given_up.set()

        with ThreadPoolExecutor(
            min(most or MAX_INLINE_CONCURRENCY, MAX_INLINE_CONCURRENCY)
        ) as pool:
            for index, iteration in todo:
                pool.submit(in_thread, index, iteration)
        if raised:
            raise raised[0]
        if frame.is_given_up():
            raise _Aborted

    def _iteration(self, name: str, machine: Definition, index: int, iteration: _Frame) -> None:
        if not iteration.started:
            self._record("MapIterationStarted", name, index=index)
            iteration.started = True
        try:
            self._walk(machine, iteration)
        except StateFailed as failure:
            self._record("MapIterationFailed", name, index=index, error=failure.error)
            raise
        except GIVEN_UP:
            self._record("MapIterationAborted", name, index=index)
            raise
        self._record("MapIterationSucceeded", name, index=index)

    # ------------------------------------------------------------ Retry and Catch
    def _handled(
        self, frame: _Frame, state: Definition, attempt: Callable[[Mapping[str, Any]], _Step]
    ) -> _Step:
        """Tries as often as Retry says, each retrier counted by itself; then Catch."""
        retriers = state.get("Retry", [])
        used = [0] * len(retriers)
        while True:
            context = self._state_context(frame, sum(used))
            try:
                return attempt(context)
            except StateFailed as failure:
                number = self._first(retriers, failure.error)
                if number is not None and used[number] < retriers[number].get("MaxAttempts", 3):
                    self._wait(_delay(retriers[number], used[number]))
                    used[number] += 1
                    continue
                if state["Type"] == "Map":  # once, at its end: a retry begins with MapStateStarted
                    self._record("MapStateFailed", frame.state, error=failure.error)
                catchers = state.get("Catch", [])
                number = self._first(catchers, failure.error)
                if number is None:
                    raise
                catcher = catchers[number]
                more = {"errorOutput": failure.output}
                return self._ended(frame, catcher, catcher["Next"], context, failure.output, more)

    def _first(self, handlers: Sequence[Mapping[str, Any]], error: str) -> int | None:
        """The index of the first retrier or catcher that matches the error."""
        for number, handler in enumerate(handlers):
            if any(
                _matches(name, error, self._wildcards_take_data_limit)
                for name in handler["ErrorEquals"]
            ):
                return number
        return None

    # ------------------------------------------------------------ data
    def _state_context(self, frame: _Frame, retries: int | None = None) -> dict[str, Any]:
        start = datetime.fromisoformat(
            self._context["Execution"]["StartTime"].replace("Z", "+00:00")
        )
        entered = start + timedelta(seconds=self._clock() - self._began)
        state: dict[str, Any] = {
            "Name": frame.state,
            "EnteredTime": entered.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        if retries is not None:  # of a state that can be retried
            state["RetryCount"] = retries
        context = {**self._context, "State": state}
        return {**context, "Map": {"Item": frame.item}} if frame.item else context

    def _field(
        self,
        frame: _Frame,
        source: Definition,
        name: str,
        default: Any,
        context: Mapping[str, Any],
        more: Mapping[str, Any] = NOTHING,
    ) -> Any:
        """The value of a field, or the default; raises StateFailed with States.QueryEvaluationError."""
        if name not in source:
            return default
        states = {"input": frame.input, "context": context, **more}
        try:
            return query.evaluate(source[name], {**frame.visible(), "states": states})
        except query.QueryError as error:
            place = name + error.where
            problem = (
                f"The JSONata expression '{error.expression}' specified for the field '{place}' "
                f"{error.problem}"
            )
            raise self._not_evaluated(frame, problem, place) from error

    def _typed(
        self,
        frame: _Frame,
        source: Definition,
        name: str,
        default: Any,
        context: Mapping[str, Any],
        wanted: str,
    ) -> Any:
        """The value of a field that must be of this type of JSON; raises StateFailed."""
        value = self._field(frame, source, name, default, context)
        kind = JSON_TYPES.get(type(value), "number")
        if kind == wanted:
            return value
        text = json.dumps(value, ensure_ascii=False)[:1000]
        if name not in source:
            raise self._not_evaluated(frame, f"Map state input must be an {wanted} but was: {text}")
        expression = str(source[name]).removeprefix("{%").removesuffix("%}").strip()
        problem = (
            f"The JSONata expression '{expression}' specified for the field '{name}' returned an unexpected "
            f"result type. Expected '{wanted}', but was '{kind}' for value: {text}"
        )
        raise self._not_evaluated(frame, problem, name)

    def _not_evaluated(self, frame: _Frame, problem: str, place: str = "") -> StateFailed:
        """Records EvaluationFailed and builds the failure, in AWS's words."""
        error = "States.QueryEvaluationError"
        cause = (
            f"An error occurred while executing the state '{frame.state}' (entered at the event id "
            f"#{frame.entered_by}). {problem}"
        )
        location = {"location": place} if place else {}
        self._record("EvaluationFailed", frame.state, error=error, cause=cause, **location)
        return StateFailed(error, cause)

    def _ended(
        self,
        frame: _Frame,
        source: Definition,
        following: str | None,
        context: Mapping[str, Any],
        default: Any,
        more: Mapping[str, Any] = NOTHING,
    ) -> _Step:
        """Evaluates Output and Assign of the state, rule or catcher that ends it; both see the variables as they were.

        ``more``: the members of $states besides input and context.
        """
        output = self._field(frame, source, "Output", default, context, more)
        output = _sized(output, f"the output of {frame.state!r}")
        assigned = self._field(frame, source, "Assign", {}, context, more)
        if assigned:
            _sized(assigned, f"the variables that {frame.state!r} assigns")
            _sized({**frame.visible(), **assigned}, "all variables", MAX_VARIABLES)
        return _Step(following, output, assigned)


def _matches(name: str, error: str, wildcards_take_data_limit: bool) -> bool:
    """Whether the name in a retrier or catcher matches the error (concepts-error-handling, "Error names").

    Nothing matches States.Runtime: it ends the execution.
    """
    if error == "States.Runtime":
        return False
    if name == error:
        return True
    if error == "States.DataLimitExceeded" and not wildcards_take_data_limit:
        return False
    return name == "States.ALL" or (name == "States.TaskFailed" and error != "States.Timeout")


def _delay(retrier: Mapping[str, Any], retries: int) -> float:
    """Seconds before the next attempt; with full jitter, Step Functions waits between 0 and this."""
    seconds = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** retries
    return float(min(seconds, retrier.get("MaxDelaySeconds", seconds)))


def _sized(value: Any, what: str, limit: int = MAX_PAYLOAD) -> Any:
    """The value after a round trip through JSON; raises StateFailed if the text is too long."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode())
    if size > limit:
        raise StateFailed(
            "States.DataLimitExceeded", f"{what}: {size} bytes, the limit is {limit}."
        )
    return json.loads(text)
