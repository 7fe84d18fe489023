"""Plays recorded executions on the interpreter and on the local AWS; a task answers what AWS recorded for it."""

import contextvars
import itertools
import json
import re
import types
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from local.states.definition import DefinitionError
from local.states.interpreter import Interpreter, Task, TaskFailed
from tests.recorded.checkout import Scenario
from tests.recorded.convert import NotConvertible, converted

STATUS = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}
GIVEN = re.compile(r"(Task|LambdaFunction)(Succeeded|Failed|TimedOut)$")
UNSTABLE = re.compile(r"<[^<>]+>|^date(time)?$|^timestamp$|^snf_role_arn$")
"""What LocalStack puts in place of an id or a time."""


@dataclass(frozen=True)
class Outcome:
    """What an execution ended with. Causes are left out: their words are AWS's own."""

    status: str
    error: str = ""
    output: Any = None
    events: tuple[str, ...] = ()


@dataclass(frozen=True)
class Replayed:
    """How one side took a scenario: ``agrees``, ``differs`` with a reason, or ``not run`` with a reason."""

    verdict: str
    reason: str = ""
    same_events: bool = False


def recorded(scenario: Scenario) -> Outcome:
    """What AWS answered."""
    last = scenario.events[-1]
    details: dict[str, Any] = next((v for k, v in last.items() if k.endswith("EventDetails")), {})
    return Outcome(
        STATUS[last["type"]],
        details.get("error", ""),
        _value(details["output"]) if "output" in details else None,
        tuple(_kind(event["type"]) for event in scenario.events),
    )


def _kind(event: str) -> str:
    return event.replace("LambdaFunction", "Task")


def _value(text: Any) -> Any:
    """A recorded payload: LocalStack makes objects of the texts that are."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


# ---------------------------------------------------------------- what tasks answer
class Answers:
    """The recorded results of each state's tasks, in order."""

    def __init__(self, scenario: Scenario) -> None:
        self._left: dict[str, deque[tuple[str, Any]]] = {}
        by_id = {event["id"]: event for event in scenario.events}
        for event in scenario.events:
            if not (kind := GIVEN.match(event["type"])):
                continue
            details: dict[str, Any] = next(
                (v for k, v in event.items() if k.endswith("EventDetails")), {}
            )
            answer = (
                ("result", _value(details.get("output")))
                if kind[2] == "Succeeded"
                else ("error", (details.get("error", ""), details.get("cause", "")))
            )
            self._left.setdefault(self._state(event, by_id), deque()).append((kind[1], answer))

    @staticmethod
    def _state(event: Mapping[str, Any], by_id: Mapping[int, Mapping[str, Any]]) -> str:
        while not event["type"].endswith("StateEntered"):
            event = by_id[event["previousEventId"]]
        name: str = event["stateEnteredEventDetails"]["name"]
        return name

    def next(self, state: str) -> tuple[str, Any, Any]:
        """Task or LambdaFunction; result or error; and its value."""
        if not self._left.get(state):
            raise LookupError(f"no more results of {state!r} are recorded")
        kind, (what, value) = self._left[state].popleft()
        return kind, what, value


def _cause(cause: Any) -> str:
    return cause if isinstance(cause, str) else json.dumps(cause, separators=(",", ":"))


TOO_LARGE = "x" * 262_144


# ---------------------------------------------------------------- the interpreter
def on_interpreter(scenario: Scenario) -> Replayed:
    """Under AWS's recorded rule for States.ALL."""
    answers = Answers(scenario)

    def call(task: Task) -> Any:
        kind, what, value = answers.next(task.state)
        if what == "error":
            error, cause = value
            if error == "States.DataLimitExceeded":
                return {"Payload": TOO_LARGE}
            raise TaskFailed(error, _cause(cause))
        return {"Payload": value} if kind == "LambdaFunction" else value

    if recorded(scenario).error == "States.Runtime" and not is_native(scenario):
        return Replayed("not run", "an error of a JSONPath")
    try:
        machine = converted(scenario.definition)
        interpreter = Interpreter(machine, call, wildcards_take_data_limit=True)
    except (NotConvertible, DefinitionError, KeyError) as refused:
        return Replayed("not run", f"{type(refused).__name__}: {refused}")
    try:
        ended = interpreter.run(
            scenario.input,
            execution="arn:aws:states:us-east-1:111111111111:execution:machine:one",
            state_machine="arn:aws:states:us-east-1:111111111111:stateMachine:machine",
            started="2026-11-23T20:30:11.123Z",
        )
    except LookupError as missing:
        return Replayed("differs", str(missing))
    events = tuple(event.type for event in ended.history)
    return compared(scenario, Outcome(ended.status, ended.error, ended.output, events))


# ---------------------------------------------------------------- the local AWS
_state: contextvars.ContextVar[str] = contextvars.ContextVar("state")
_numbers = itertools.count()


@contextmanager
def local_aws() -> Iterator[None]:
    """MiniStack's Step Functions in this process, with what local/aws/ministack fixes; it waits for nothing."""
    from ministack.services import stepfunctions
    from ministack.services.cloudformation import provisioners

    from local.aws.ministack import behaviour, definitions, executions

    functions: dict[str, Any] = {
        name: value
        for name, value in vars(stepfunctions).items()
        if isinstance(value, types.FunctionType)
    }
    functions["_SFN_WAIT_SCALE"] = 0
    # What is fixed is put back in the end.
    definition = mock.patch.object(provisioners, "_sfn_definition", provisioners._sfn_definition)
    with mock.patch.multiple(stepfunctions, **functions), definition:
        behaviour.stop_at_once()
        executions.apply()
        definitions.apply()
        yield


def on_local_aws(scenario: Scenario) -> Replayed:
    """Inside local_aws(); the definition as it is."""
    from ministack.services import stepfunctions

    answers = Answers(scenario)
    execute = stepfunctions._execute_task

    def execute_named(state: Any, given: Any, execution: Any, context: Any) -> Any:
        token = _state.set(context["State"]["Name"])
        try:
            return execute(state, given, execution, context)
        finally:
            _state.reset(token)

    def invoke(resource: str, given: Any, *timeout: Any) -> Any:
        _, what, value = answers.next(_state.get())
        if what == "error":
            raise stepfunctions._ExecutionError(value[0], _cause(value[1]))
        return value

    name = f"recorded{next(_numbers)}"
    with mock.patch.multiple(
        stepfunctions,
        _execute_task=execute_named,
        _invoke_resource=invoke,
        _invoke_resource_with_timeout=invoke,
    ):
        status, _, body = stepfunctions._create_state_machine(
            {
                "name": name,
                "definition": json.dumps(scenario.definition),
                "roleArn": "arn:aws:iam::000000000000:role/any",
            }
        )
        answer = json.loads(body)
        if status != 200:
            return Replayed("differs", f"refuses the definition: {answer.get('message')}")
        machine = stepfunctions._state_machines[answer["stateMachineArn"]]
        execution: dict[str, Any] = {
            "executionArn": f"arn:aws:states:us-west-2:000000000000:execution:{name}:one",
            "stateMachineArn": answer["stateMachineArn"],
            "name": "one",
            "status": "RUNNING",
            "startDate": "2026-11-23T20:30:11.123Z",
            "stopDate": None,
            "input": json.dumps(scenario.input),
            "output": None,
            "events": [],
        }
        stepfunctions._executions[execution["executionArn"]] = execution
        try:
            with mock.patch.object(stepfunctions.time, "sleep"):
                stepfunctions._run_execution(execution["executionArn"])
        finally:
            del stepfunctions._executions[execution["executionArn"]], machine
    ended = execution["status"]
    output = json.loads(execution["output"]) if ended == "SUCCEEDED" else None
    return compared(scenario, Outcome(ended, execution.get("error") or "", output))


# ---------------------------------------------------------------- comparing
def compared(scenario: Scenario, seen: Outcome) -> Replayed:
    """Status, error, output; of the events, whether they are the same."""
    wanted = recorded(scenario)
    same_events = seen.events == wanted.events
    if seen.status != wanted.status:
        return Replayed(
            "differs",
            f"{seen.status} {seen.error} instead of {wanted.status} {wanted.error}".strip(),
        )
    if seen.error != wanted.error:
        return Replayed("differs", f"error {seen.error!r} instead of {wanted.error!r}")
    if place := difference(wanted.output, seen.output, scenario.replaced):
        return Replayed("differs", f"output at {place}")
    return Replayed("agrees", "", same_events)


def difference(
    wanted: Any, seen: Any, replaced: tuple[tuple[str, str], ...] = (), place: str = "$"
) -> str:
    """Where two values differ; '' if they do not. Ids, times and Causes may."""
    if isinstance(wanted, dict) and isinstance(seen, dict):
        for name in sorted(wanted.keys() | seen.keys()):
            if name == "Cause":
                continue
            if name not in seen or name not in wanted:
                return f"{place}.{name}"
            if found := difference(wanted[name], seen[name], replaced, f"{place}.{name}"):
                return found
        return ""
    if isinstance(wanted, list) and isinstance(seen, list) and len(wanted) == len(seen):
        places = (
            difference(one, other, replaced, f"{place}[{index}]")
            for index, (one, other) in enumerate(zip(wanted, seen, strict=True))
        )
        return next(filter(None, places), "")
    if isinstance(wanted, str) and UNSTABLE.search(wanted) and isinstance(seen, str):
        return ""
    if isinstance(wanted, str) and isinstance(seen, str):
        for regex, by in replaced:
            seen = re.sub(regex, by, seen)
        return "" if seen == wanted or _value(seen) == _value(wanted) else place
    if isinstance(wanted, dict | list) and isinstance(seen, str):
        return difference(wanted, _value(seen), replaced, place) if _value(seen) != seen else place
    return "" if wanted == seen and isinstance(wanted, bool) == isinstance(seen, bool) else place


def is_native(scenario: Scenario) -> bool:
    """Whether the machine is written in JSONata, as ours is."""
    return '"QueryLanguage": "JSONata"' in json.dumps(scenario.definition)
