"""Executions of MiniStack's Step Functions: limits, time limits, inputs and names, as on AWS.

The evidence of each is in local/aws/ministack/__init__.py.
"""

import contextvars
import functools
import json
import re
import threading
from collections.abc import Callable
from typing import Any

from botocore.session import get_session
from ministack.core.responses import error_response_json, get_region, json_response, now_iso
from ministack.services import stepfunctions

MAX_PAYLOAD = 262_144
"""Bytes of UTF-8 of a state's input, output, task input, task result or assigned value."""

TOO_LARGE = (
    "The state/task '{}' returned a result with a size exceeding the maximum number of bytes "
    "service limit."
)

BAD_NAME = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")
MAX_NAME = 80

Answer = tuple[int, dict[str, str], Any]
Context = dict[str, Any] | None


def size(value: Any) -> int:
    """Bytes of a value as Step Functions counts them."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def limited(value: Any, name: str) -> Any:
    """The value; raises States.DataLimitExceeded for one that is too large."""
    if size(value) > MAX_PAYLOAD:
        raise stepfunctions._ExecutionError("States.DataLimitExceeded", TOO_LARGE.format(name))
    return value


def limit_payloads() -> None:
    """Makes a payload over 256 KiB fail its state. A Task or a Map can catch the error."""
    invoke: Callable[..., Any] = stepfunctions._invoke_resource
    arguments: Callable[..., Any] = stepfunctions._apply_jsonata_arguments
    output: Callable[..., Any] = stepfunctions._apply_jsonata_output
    assign: Callable[..., None] = stepfunctions._apply_state_assign

    def invoked(resource: str, given: Any) -> Any:
        service = re.match(r"arn:[\w-]+:states:::([\w-]+)", resource)
        return limited(invoke(resource, given), service[1] if service else resource)

    def argued(state: Any, given: Any, context: Context = None) -> Any:
        return limited(arguments(state, given, context), _name(context))

    def put_out(state: Any, given: Any, context: Context = None, **more: Any) -> Any:
        limited(more.get("result"), _name(context))  # of a Map: all its iterations
        return limited(output(state, given, context, **more), _name(context))

    def assigned(state: Any, given: Any, context: Context, **more: Any) -> None:
        assign(state, given, context, **more)
        known = (context or {}).get("variables", {})
        names = state.get("Assign") or ()
        limited({name: known[name] for name in names if name in known}, _name(context))

    stepfunctions._invoke_resource = invoked
    stepfunctions._apply_jsonata_arguments = argued
    stepfunctions._apply_jsonata_output = put_out
    stepfunctions._apply_state_assign = assigned
    for kind in ("pass", "choice", "wait", "task", "map", "parallel"):
        name = f"_execute_{kind}"
        setattr(stepfunctions, name, _limiting(getattr(stepfunctions, name)))


def _name(context: Context) -> str:
    return str(((context or {}).get("State") or {}).get("Name", ""))


def _limiting(execute: Callable[..., Any]) -> Callable[..., Any]:
    """A state's output is checked even if no expression creates it; the state's Catch does not apply to that error."""

    @functools.wraps(execute)
    def execute_limited(state: Any, given: Any, *more: Any) -> Any:
        passed_on, following = execute(state, given, *more)
        return limited(passed_on, _name(more[-1] if more else None)), following

    return execute_limited


def time_out_executions() -> None:
    """Makes an execution end TIMED_OUT after the machine's TimeoutSeconds."""
    run: Callable[[str], None] = stepfunctions._run_execution

    def run_for_its_time(arn: str) -> None:
        execution = stepfunctions._executions.get(arn)
        machine = stepfunctions._state_machines.get((execution or {}).get("stateMachineArn"))
        seconds = _timeout_of((machine or {}).get("definition", ""))
        if execution is None or seconds is None:
            run(arn)
            return
        inside = contextvars.copy_context()
        timer = threading.Timer(seconds, inside.run, (_time_out, execution))
        timer.daemon = True
        timer.start()
        try:
            run(arn)
        finally:
            timer.cancel()

    stepfunctions._run_execution = run_for_its_time


def _timeout_of(definition: str) -> float | None:
    try:
        seconds = json.loads(definition).get("TimeoutSeconds")
    except (ValueError, AttributeError):
        return None
    return float(seconds) if isinstance(seconds, int | float) else None


def _time_out(execution: dict[str, Any]) -> None:
    if execution["status"] != "RUNNING":
        return
    execution["status"] = "TIMED_OUT"
    execution["stopDate"] = now_iso()
    stepfunctions._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
    stepfunctions._emit_execution_status_event(execution)


def time_out_tasks_without_cause() -> None:
    """Makes States.Timeout of a task have an empty Cause."""
    invoke: Callable[..., Any] = stepfunctions._invoke_resource_with_timeout

    def invoke_in_time(resource: str, given: Any, timeout: float) -> Any:
        try:
            return invoke(resource, given, timeout)
        except stepfunctions._ExecutionError as error:
            if error.error == "States.Timeout":
                raise stepfunctions._ExecutionError(error.error, "") from error
            raise

    stepfunctions._invoke_resource_with_timeout = invoke_in_time


def let_nothing_take_runtime_errors() -> None:
    """Makes States.Runtime end the execution, even if a retrier or catcher matches it."""
    matches: Callable[[list[str], str], bool] = stepfunctions._error_matches

    def matches_but_runtime(named: list[str], error: str) -> bool:
        return error != "States.Runtime" and matches(named, error)

    stepfunctions._error_matches = matches_but_runtime


def keep_to_the_partition() -> None:
    """Makes a task whose resource is in another partition fail the execution."""
    invoke: Callable[..., Any] = stepfunctions._invoke_resource

    def invoke_here(resource: str, given: Any) -> Any:
        found = re.match(r"arn:([\w-]+):", resource)
        expected = get_session().get_partition_for_region(get_region())
        if found and found[1] != expected:
            raise stepfunctions._ExecutionError(
                "States.Runtime",
                "The resource belongs to a different partition from the running execution. "
                f"Expected '{expected}', was '{found[1]}'.",
            )
        return invoke(resource, given)

    stepfunctions._invoke_resource = invoke_here


def check_what_is_started() -> None:
    """Makes StartExecution refuse a bad input or name, and answer a repeated call as the first."""
    start: Callable[[dict[str, Any]], Answer] = stepfunctions._start_execution

    def start_checked(data: dict[str, Any]) -> Answer:
        machine = stepfunctions._resolve_state_machine_arn(
            str(data.get("stateMachineArn", "")).partition("#")[0]
        )
        if machine is None:
            return start(data)
        if problem := wrong_input(data.get("input", "{}")):
            message = f"Invalid State Machine Execution Input: '{problem}'"
            return _refused("InvalidExecutionInput", message)
        name = data.get("name")
        if name is not None and (not 0 < len(name) <= MAX_NAME or BAD_NAME.search(name)):
            return _refused("InvalidName", f"Invalid Name: '{name}'")
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        if name is not None and (known := stepfunctions._executions.get(arn)):
            if known["status"] == "RUNNING" and known["input"] == data.get("input", "{}"):
                answer = {"executionArn": arn, "startDate": known["startDate"]}
                repeated: Answer = json_response(answer)
                return repeated
            return _refused("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        return start(data)

    stepfunctions._start_execution = start_checked


def wrong_input(text: Any) -> str:
    """Why Step Functions refuses this as an execution's input; '' if it accepts it."""

    def no_constant(name: str) -> None:
        raise ValueError(f"Non-standard token '{name}'")

    if not isinstance(text, str) or not text.strip():
        return "Invalid execution input."
    try:
        json.loads(text, parse_constant=no_constant)
    except ValueError as error:
        return str(error)
    except RecursionError:
        return "Document nesting is too deep"
    return ""


def _refused(code: str, message: str) -> Answer:
    answer: Answer = error_response_json(code, message, 400)
    return answer


def describe_as_aws() -> None:
    """Makes DescribeExecution return an output only for a successful execution, and redrive figures for all."""
    describe: Callable[[dict[str, Any]], Answer] = stepfunctions._describe_execution

    def described(data: dict[str, Any]) -> Answer:
        status, headers, body = describe(data)
        if status != 200:
            return status, headers, body
        found = json.loads(body)
        ended = found["status"]
        if ended != "SUCCEEDED":
            del found["output"], found["outputDetails"]
        redrivable = ended in ("FAILED", "TIMED_OUT", "ABORTED")
        found |= {
            "redriveCount": 0,
            "redriveStatus": "REDRIVABLE" if redrivable else "NOT_REDRIVABLE",
        }
        if not redrivable:
            found["redriveStatusReason"] = f"Execution is {ended} and cannot be redriven"
        answer: Answer = json_response(
            {key: value for key, value in found.items() if value is not None}
        )
        return answer

    stepfunctions._describe_execution = described


def apply() -> None:
    """All of it; before ministack.app is imported."""
    limit_payloads()
    keep_to_the_partition()
    time_out_executions()
    time_out_tasks_without_cause()
    let_nothing_take_runtime_errors()
    check_what_is_started()
    describe_as_aws()
