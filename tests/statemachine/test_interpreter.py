"""The interpreter does what the specification and Step Functions' documentation say, by their own examples."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from local.states.definition import DefinitionError, substituted
from local.states.interpreter import ROLE, Ended, Interpreter, Stopped, Task, TaskFailed
from tests.world.product import (
    DEFINITION,
    EXECUTION,
    FUNCTIONS,
    STARTED,
    STATE_MACHINE,
    lambda_result,
)

INVOKE = "arn:aws:states:::lambda:invoke"
BIG = "x" * 262_144


def machine(states: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **more}


def task(**more: Any) -> dict[str, Any]:
    ending = {} if "Next" in more else {"End": True}
    return {"Type": "Task", "Resource": INVOKE, **ending, **more}


def passing(**more: Any) -> dict[str, Any]:
    ending = {} if "Next" in more else {"End": True}
    return {"Type": "Pass", **ending, **more}


def mapping(states: dict[str, Any], **more: Any) -> dict[str, Any]:
    processor = {"StartAt": next(iter(states)), "States": states}
    ending = {} if "Next" in more else {"End": True}
    return {"Type": "Map", "ItemProcessor": processor, **ending, **more}


def choice(*rules: tuple[str, str], **more: Any) -> dict[str, Any]:
    choices = [{"Condition": f"{{% {condition} %}}", "Next": name} for condition, name in rules]
    return {"Type": "Choice", "Choices": choices, **more}


def echo(task: Task) -> Any:
    return task.arguments


class Script:
    """Plays the results of tasks one after another; an error's name fails the task."""

    def __init__(self, *results: Any) -> None:
        self.results = list(results)
        self.tasks: list[Task] = []

    def __call__(self, task: Task) -> Any:
        self.tasks.append(task)
        result = self.results.pop(0)
        if isinstance(result, BaseException):
            raise result
        return result


def ran(
    definition: dict[str, Any],
    document: Any = None,
    call: Callable[[Task], Any] = echo,
    **more: Any,
) -> Ended:
    interpreter = Interpreter(definition, call, **more)
    return run(interpreter, {} if document is None else document)


def run(interpreter: Interpreter, document: Any) -> Ended:
    return interpreter.run(
        document, execution=EXECUTION, state_machine=STATE_MACHINE, started=STARTED
    )


def kinds(ended: Ended) -> list[str]:
    return [event.type for event in ended.history]


# ---------------------------------------------------------------- data
def test_a_task_gets_its_arguments_and_makes_its_output() -> None:
    calls = Script({"Payload": {"price": 9}})
    ended = ran(
        machine(
            {
                "Ask": task(
                    Arguments={
                        "Payload": {"who": "{% $states.input.name %}", "fixed": [1, "{% 1 + 1 %}"]}
                    },
                    Output={
                        "price": "{% $states.result.Payload.price %}",
                        "of": "{% $states.input.name %}",
                    },
                    TimeoutSeconds=30,
                )
            }
        ),
        {"name": "tea"},
        calls,
    )
    assert ended.output == {"price": 9, "of": "tea"}
    [made] = calls.tasks
    assert made.arguments == {"Payload": {"who": "tea", "fixed": [1, 2]}}
    assert (made.state, made.resource, made.timeout) == ("Ask", INVOKE, 30)


def test_without_output_a_task_gives_its_result_and_a_pass_its_input() -> None:
    ended = ran(machine({"One": task(Next="Two"), "Two": passing()}), {"a": 1}, Script({"b": None}))
    assert ended.output == {"b": None}


def test_the_context_object() -> None:
    ended = ran(machine({"One": passing(Output="{% $states.context %}")}), {"a": 1})
    assert ended.output == {
        "Execution": {
            "Id": EXECUTION,
            "Input": {"a": 1},
            "Name": "one",
            "StartTime": STARTED,
            "RoleArn": ROLE,
            "RedriveCount": 0,
        },
        "StateMachine": {"Id": STATE_MACHINE, "Name": "s3-redshift-loader-load"},
        "State": {"Name": "One", "EnteredTime": STARTED},
    }


def test_assignments_see_the_variables_as_they_were() -> None:
    """The guide's own example: x and nextX are exchanged, and the Output does not see the new values either."""
    states = {
        "Before": passing(Assign={"x": 3, "a": 6}, Next="After"),
        "After": passing(
            Assign={"x": "{% $a %}", "nextX": "{% $x %}"}, Output="{% $x %}", Next="Then"
        ),
        "Then": passing(
            Output={"was": "{% $states.input %}", "x": "{% $x %}", "nextX": "{% $nextX %}"}
        ),
    }
    assert ran(machine(states)).output == {"was": 3, "x": 6, "nextX": 3}


def test_data_that_looks_like_an_expression_is_data() -> None:
    states = {"One": task(), "Two": mapping({"In": passing()}, Items="{% $states.input %}")}
    states["One"] = task(Next="Two")
    assert ran(machine(states), ["{% 1 %}"]).output == ["{% 1 %}"]


def test_a_value_that_is_not_there_is_an_error_but_null_is_a_value() -> None:
    states = {"One": passing(Output={"value": "{% $states.input.value %}"})}
    assert ran(machine(states), {"value": None}).output == {"value": None}
    ended = ran(machine(states), {})
    assert (ended.status, ended.error) == ("FAILED", "States.QueryEvaluationError")
    assert kinds(ended) == [
        "ExecutionStarted",
        "PassStateEntered",
        "EvaluationFailed",
        "ExecutionFailed",
    ]


def test_inside_an_expression_a_missing_value_leaves_its_field_out() -> None:
    output = "{% {'there': $states.input.a, 'missing': $states.input.b} %}"
    assert ran(machine({"One": passing(Output=output)}), {"a": [1]}).output == {"there": [1]}


# ---------------------------------------------------------------- Choice, Wait, Succeed, Fail
def test_a_choice_takes_the_first_rule_that_is_met() -> None:
    states = {
        "Which": choice(
            ("$states.input > 10", "Big"), ("$states.input > 5", "Middle"), Default="Small"
        ),
        **{name: passing(Output=name) for name in ("Big", "Middle", "Small")},
    }
    assert [ran(machine(states), number).output for number in (11, 6, 5)] == [
        "Big",
        "Middle",
        "Small",
    ]


def test_a_rule_and_the_default_each_have_their_own_output() -> None:
    which = choice(
        ("$states.input.a", "End"), Default="End", Output="by default", Assign={"way": "default"}
    )
    which["Choices"][0] |= {"Output": "by the rule", "Assign": {"way": "rule"}}
    states = {"Which": which, "End": passing(Output=["{% $states.input %}", "{% $way %}"])}
    assert ran(machine(states), {"a": True}).output == ["by the rule", "rule"]
    assert ran(machine(states), {"a": False}).output == ["by default", "default"]


def test_a_choice_that_nothing_meets_and_one_that_is_no_boolean() -> None:
    states = {"Which": choice(("$states.input", "End")), "End": passing()}
    assert ran(machine(states), False).error == "States.NoChoiceMatched"
    assert ran(machine(states), "yes").error == "States.QueryEvaluationError"


def test_fail_with_error_and_cause_by_expression() -> None:
    fail = {"Type": "Fail", "Error": "Broken", "Cause": "{% 'because of ' & $states.input.why %}"}
    ended = ran(machine({"No": fail}), {"why": "rain"})
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "Broken", "because of rain")
    assert kinds(ended) == ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]


def test_wait_and_succeed() -> None:
    waits: list[float] = []
    states = {
        "Rest": {"Type": "Wait", "Seconds": "{% $states.input.s %}", "Next": "Good"},
        "Good": {"Type": "Succeed", "Output": "{% $states.input.s * 2 %}"},
    }
    ended = ran(machine(states), {"s": 7}, wait=waits.append)
    assert (ended.output, waits) == (14, [7])


# ---------------------------------------------------------------- Retry and Catch
def retried(
    *errors: str, retry: list[dict[str, Any]], catch: str = "States.ALL", **rules: bool
) -> tuple[Ended, list[float], Script]:
    waits: list[float] = []
    calls = Script(*(TaskFailed(error, "why") for error in errors), "done")
    states = {
        "X": task(Retry=retry, Catch=[{"ErrorEquals": [catch], "Next": "Z"}]),
        "Z": passing(Output=["Z", "{% $states.input %}"]),
    }
    return ran(machine(states), {}, calls, wait=waits.append, **rules), waits, calls


def test_each_retrier_counts_for_itself() -> None:
    """The specification's example ("Errors", Complex retry scenarios)."""
    retry = [
        {
            "ErrorEquals": ["ErrorA", "ErrorB"],
            "IntervalSeconds": 1,
            "BackoffRate": 2,
            "MaxAttempts": 2,
        },
        {"ErrorEquals": ["ErrorC"], "IntervalSeconds": 5},
    ]
    ended, waits, calls = retried("ErrorA", "ErrorB", "ErrorC", "ErrorB", retry=retry)
    assert waits == [1, 2, 5]
    assert ended.output == ["Z", {"Error": "ErrorB", "Cause": "why"}]
    counts = [call.context["State"]["RetryCount"] for call in calls.tasks]
    assert counts == [0, 1, 2, 3]


def test_a_retrier_s_delays_grow_to_their_limit() -> None:
    retry = [
        {
            "ErrorEquals": ["E"],
            "IntervalSeconds": 3,
            "BackoffRate": 2,
            "MaxAttempts": 3,
            "MaxDelaySeconds": 5,
        }
    ]
    ended, waits, _ = retried("E", "E", "E", retry=retry)
    assert (ended.output, waits) == ("done", [3, 5, 5])


def test_a_retrier_s_defaults() -> None:
    _, waits, calls = retried("E", "E", "E", "E", retry=[{"ErrorEquals": ["States.ALL"]}])
    assert (waits, len(calls.tasks)) == ([1, 2, 4], 4)


@pytest.mark.parametrize(
    ("named", "error", "takes"),
    [
        ("States.ALL", "KeyError", True),
        ("States.ALL", "States.Timeout", True),
        ("States.ALL", "States.DataLimitExceeded", False),
        ("States.ALL", "States.Runtime", False),
        ("States.TaskFailed", "KeyError", True),
        ("States.TaskFailed", "Lambda.Unknown", True),
        ("States.TaskFailed", "States.Timeout", False),
        ("States.TaskFailed", "States.Runtime", False),
        ("States.Timeout", "States.Timeout", True),
        ("States.DataLimitExceeded", "States.DataLimitExceeded", True),
        ("States.Runtime", "States.Runtime", False),
        ("KeyError", "keyerror", False),
    ],
)
def test_which_errors_a_name_takes(named: str, error: str, takes: bool) -> None:
    ended, _, _ = retried(error, retry=[], catch=named)
    assert (ended.status == "SUCCEEDED") == takes
    ended, _, calls = retried(error, retry=[{"ErrorEquals": [named]}], catch="Nothing")
    assert (len(calls.tasks) == 2) == takes


@pytest.mark.parametrize(("taken", "status"), [(False, "FAILED"), (True, "SUCCEEDED")])
def test_states_all_and_the_data_limit(taken: bool, status: str) -> None:
    """By the documentation a wildcard does not take it, by what was recorded on AWS it does.

    Source: docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html;
    github.com/localstack/localstack, v2/error_handling/test_states_errors,
    test_service_task_lambada_catch_state_all_data_limit_exceeded_on_large_utf8_response (2024-03-21)
    """
    states = {"X": task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Z"}]), "Z": passing()}
    ended = ran(machine(states), {}, lambda task: BIG, wildcards_take_data_limit=taken)
    assert ended.status == status
    cause = (
        "The state/task 'lambda' returned a result with a size exceeding the maximum number of "
        "bytes service limit."
    )
    output = {"Error": "States.DataLimitExceeded", "Cause": cause}
    assert (ended.output if taken else {"Error": ended.error, "Cause": ended.cause}) == output
    assert kinds(ended)[4:] == (
        [
            "TaskFailed",
            "TaskStateExited",
            "PassStateEntered",
            "PassStateExited",
            "ExecutionSucceeded",
        ]
        if taken
        else ["TaskFailed", "ExecutionFailed"]
    )
    named, _, _ = retried(
        output["Error"], retry=[], catch=output["Error"], wildcards_take_data_limit=taken
    )
    assert named.status == "SUCCEEDED"


def test_a_retrier_of_no_attempts_keeps_others_from_the_error() -> None:
    """The first retrier that names an error is its retrier (recorded: test_map_state_retry_multiple_retriers). The
    States Language has the same example, of every error but one: states-language.net/spec.html, "Retrying after error".
    """
    none = {"ErrorEquals": ["E"], "MaxAttempts": 0, "JitterStrategy": "FULL", "MaxDelaySeconds": 9}
    ended, waits, calls = retried("E", retry=[none, {"ErrorEquals": ["States.ALL"]}])
    assert (waits, len(calls.tasks)) == ([], 1)
    assert ended.output == ["Z", {"Error": "E", "Cause": "why"}]
    ended, waits, calls = retried("F", "F", retry=[none, {"ErrorEquals": ["States.ALL"]}])
    assert (ended.output, waits, len(calls.tasks)) == ("done", [1, 2], 3)


@pytest.mark.parametrize("taken", [False, True])
def test_an_error_that_states_all_may_match_is_final_if_it_is_named(taken: bool) -> None:
    """AWS's page says that States.ALL does not match States.DataLimitExceeded, a recording says that it does."""
    named = {"ErrorEquals": ["States.DataLimitExceeded"], "MaxAttempts": 0}
    _, waits, calls = retried(
        "States.DataLimitExceeded",
        retry=[named, {"ErrorEquals": ["States.ALL"]}],
        wildcards_take_data_limit=taken,
    )
    assert (waits, len(calls.tasks)) == ([], 1)


def test_the_fifth_delay_is_sixteen_times_the_first() -> None:
    """Recorded: test_state_configuration_retrier_retry_count (2025-11-22): 16 seconds, then FAILED."""
    retry = [{"ErrorEquals": ["E"], "IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 5}]
    _, waits, calls = retried(*"EEEEEE", retry=retry)
    assert (waits, len(calls.tasks)) == ([1, 2, 4, 8, 16], 6)


def test_what_cannot_be_evaluated_in_a_task_is_retried_and_caught() -> None:
    waits: list[float] = []
    states = {
        "X": task(
            Output="{% $states.result.missing %}",
            Retry=[{"ErrorEquals": ["States.QueryEvaluationError"], "MaxAttempts": 1}],
            Catch=[
                {
                    "ErrorEquals": ["States.ALL"],
                    "Output": "{% $states.errorOutput.Error %}",
                    "Next": "Z",
                }
            ],
        ),
        "Z": passing(),
    }
    calls = Script({}, {})
    ended = ran(machine(states), {}, calls, wait=waits.append)
    assert (ended.output, len(calls.tasks)) == ("States.QueryEvaluationError", 2)


def test_a_catcher_has_output_and_assign_of_its_own() -> None:
    catch = {
        "ErrorEquals": ["States.ALL"],
        "Output": "{% $merge([$states.input, {'error': $states.errorOutput.Error}]) %}",
        "Assign": {"seen": "{% $states.errorOutput.Cause %}"},
        "Next": "Z",
    }
    states = {"X": task(Catch=[catch]), "Z": passing(Output=["{% $states.input %}", "{% $seen %}"])}
    ended = ran(machine(states), {"a": 1}, Script(TaskFailed("E", "why")))
    assert ended.output == [{"a": 1, "error": "E"}, "why"]


def test_a_python_handler_s_exception() -> None:
    def raising(task: Task) -> Any:
        try:
            task.context["nothing"]
        except KeyError as error:
            raise TaskFailed.of(error) from error

    ended = ran(machine({"X": task()}), {}, raising)
    assert ended.error == "KeyError"
    cause = json.loads(ended.cause)
    assert (cause["errorType"], cause["errorMessage"]) == ("KeyError", "'nothing'")
    assert "raising" in cause["stackTrace"][-1]


# ---------------------------------------------------------------- Map
def test_a_map_runs_its_items_in_order() -> None:
    states = {
        "Each": mapping(
            {
                "In": task(
                    Arguments={
                        "got": "{% $states.input %}",
                        "index": "{% $states.context.Map.Item.Index %}",
                    }
                )
            },
            Items="{% [0..$states.input.n - 1] %}",
            ItemSelector={
                "v": "{% $string($states.context.Map.Item.Value) %}",
                "n": "{% $states.input.n %}",
            },
            Output="{% $states.result.got.v %}",
        )
    }
    calls = Script(*({"got": {"v": str(n)}} for n in range(3)))
    ended = ran(machine(states), {"n": 3}, calls)
    assert ended.output == ["0", "1", "2"]
    assert [call.arguments["got"] for call in calls.tasks] == [
        {"v": str(n), "n": 3} for n in range(3)
    ]
    assert [call.arguments["index"] for call in calls.tasks] == [0, 1, 2]


@pytest.mark.parametrize("n", [0, 1])
def test_a_map_of_none_or_one_gives_an_array(n: int) -> None:
    states = {"Each": mapping({"In": passing()}, Items="{% [0..$states.input - 1] %}")}
    assert ran(machine(states), n).output == list(range(n))


ONE_EACH = {"In": passing()}


@pytest.mark.parametrize("items", [[], [0], [1, "two", True]])
@pytest.mark.parametrize("given", ["Items", "input", "variable", "literal"])
def test_items_of_none_one_or_more(items: list[Any], given: str) -> None:
    """Recorded: test_map_state_items_eval_jsonata, …_input_array, …_variable_sampling (2024-11-19)."""
    sources: dict[str, dict[str, Any]] = {
        "Items": {"Items": "{% $states.input %}"},
        "input": {},
        "variable": {"Items": "{% $v %}"},
        "literal": {"Items": items},
    }
    fields = sources[given]
    states = {
        "Start": passing(Output="{% $states.input.items %}", Assign={"v": items}, Next="Each"),
        "Each": mapping(ONE_EACH, **fields),
    }
    ended = ran(machine(states), {"items": items})
    assert ended.output == items
    [begun] = [event for event in ended.history if event.type == "MapStateStarted"]
    assert begun.details["length"] == len(items)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(1, "number"), ("a", "string"), (True, "boolean"), ({"a": 1}, "object"), (None, "null")],
)
def test_items_that_are_no_array(value: Any, kind: str) -> None:
    """Recorded: test_map_state_items_eval_jsonata_fail, …_input_types (2024-11-19)."""
    by_field = ran(
        machine({"Each": mapping(ONE_EACH, Items="{% $states.input.v %}")}), {"v": value}
    )
    first = {"Start": passing(Output="{% $states.input.v %}", Next="Each")}
    by_input = ran(machine({**first, "Each": mapping(ONE_EACH)}), {"v": value})
    at = "An error occurred while executing the state 'Each' (entered at the event id "
    text = json.dumps(value)
    for ended, cause in (
        (
            by_field,
            (
                f"{at}#2). The JSONata expression '$states.input.v' specified for the field 'Items' returned an "
                f"unexpected result type. Expected 'array', but was '{kind}' for value: {text}"
            ),
        ),
        (by_input, f"{at}#4). Map state input must be an array but was: {text}"),
    ):
        assert kinds(ended)[-4:] == [
            "MapStateEntered",
            "EvaluationFailed",
            "MapStateFailed",
            "ExecutionFailed",
        ]
        assert (ended.error, ended.cause) == ("States.QueryEvaluationError", cause)
    assert by_field.history[2].details["location"] == "Items"
    assert "location" not in by_input.history[4].details


def test_a_map_that_is_retried_fails_once() -> None:
    """Recorded: test_map_state_retry_multiple_retriers (2023-08-08): a retry begins with MapStateStarted."""
    fail = {"Type": "Fail", "Error": "E", "Cause": "C"}
    retry = [{"ErrorEquals": ["Other"]}, {"ErrorEquals": ["E"], "MaxAttempts": 2}]
    ended = ran(machine({"Each": mapping({"No": fail}, Items=[1], Retry=retry)}))
    attempt = ["MapStateStarted", "MapIterationStarted", "FailStateEntered", "MapIterationFailed"]
    assert kinds(ended)[2:] == [*attempt * 3, "MapStateFailed", "ExecutionFailed"]


@pytest.mark.parametrize(
    ("state", "location"),
    [
        (passing(Output="{% $doesNotExist %}"), "Output"),
        (passing(Output={"result": "{% $doesNotExist %}"}), "Output/result"),
        (passing(Assign={"result": "{% $doesNotExist %}"}), "Assign/result"),
        (task(Arguments="{% $doesNotExist %}"), "Arguments"),
        (task(Arguments={"FunctionName": "{% $doesNotExist %}"}), "Arguments/FunctionName"),
    ],
)
def test_where_a_value_is_undefined(state: dict[str, Any], location: str) -> None:
    """Recorded: test_undefined_reference (2024-11-21), with these very words."""
    ended = ran(machine({"State0": state}))
    [failed] = [event for event in ended.history if event.type == "EvaluationFailed"]
    cause = (
        "An error occurred while executing the state 'State0' (entered at the event id #2). The JSONata "
        f"expression '$doesNotExist' specified for the field '{location}' returned nothing (undefined)."
    )
    assert failed.details == {
        "error": "States.QueryEvaluationError",
        "cause": cause,
        "location": location,
    }
    assert (ended.error, ended.cause) == ("States.QueryEvaluationError", cause)


def test_a_blank_before_its_mark_makes_a_text_of_an_expression() -> None:
    """Recorded: v2/outputdecl/test_output, test_base_cases[BASE_LITERALS] (2026-02-19)."""
    assert ran(machine({"X": passing(Output=" {% 1 %} ")})).output == " {% 1 %} "


def test_a_timeout_has_no_cause_and_is_caught() -> None:
    """Recorded: v2/services/test_lambda_task_service, test_invoke_timeout: {"Error":"States.Timeout","Cause":""}."""
    calls = Script(TaskFailed("States.Timeout"))
    states = {"X": task(Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "Z"}]), "Z": passing()}
    ended = ran(machine(states), {}, calls)
    assert ended.output == {"Error": "States.Timeout", "Cause": ""}
    assert ended.count("TaskTimedOut") == 1


def test_a_map_s_variables_begin_with_those_around_it() -> None:
    """Recorded: v2/assign/test_assign_base, test_base_cases[BASE_SCOPE_MAP] (2024-11-04)."""
    states = {
        "Set": passing(Assign={"x": 1}, Next="Each"),
        "Each": mapping(
            {"In": passing(Assign={"y": "{% $x + $states.input %}"}, Output="{% $x %}")},
            Items=[1, 2],
        ),
    }
    assert ran(machine(states)).output == [1, 1]


def test_variables_inside_a_map_stay_inside_and_see_what_is_around() -> None:
    states = {
        "Set": passing(Assign={"outer": 5}, Next="Each"),
        "Each": mapping(
            {
                "In": passing(Assign={"mine": "{% $states.input + $outer %}"}, Next="Then"),
                "Then": passing(Output="{% $mine %}"),
            },
            Items=[1, 2],
            Next="Out",
        ),
        "Out": passing(Output=["{% $states.input %}", "{% $exists($mine) %}"]),
    }
    assert ran(machine(states)).output == [[6, 7], False]


def test_an_iteration_that_fails_fails_the_map() -> None:
    states = {
        "Each": mapping(
            {"In": task()}, Items=[1, 2, 3], Catch=[{"ErrorEquals": ["Odd"], "Next": "End"}]
        ),
        "End": passing(),
    }
    ended = ran(machine(states), {}, Script(1, TaskFailed("Odd", "two"), 3))
    assert ended.output == {"Error": "Odd", "Cause": "two"}
    assert kinds(ended)[-7:] == [
        "TaskFailed",
        "MapIterationFailed",
        "MapStateFailed",
        "MapStateExited",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]


def test_in_threads_a_map_runs_as_many_as_it_may() -> None:
    together = threading.Barrier(2, timeout=20)
    running, most, lock = 0, 0, threading.Lock()

    def call(task: Task) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait()
        with lock:
            running -= 1
        together.wait()
        return task.arguments

    states = {"Each": mapping({"In": task()}, Items=[1, 2, 3, 4], MaxConcurrency=2)}
    ended = ran(machine(states), {}, call, parallel=True)
    assert (ended.output, most) == ([1, 2, 3, 4], 2)


def test_in_threads_the_others_are_aborted_when_one_fails() -> None:
    started = threading.Event()

    def call(task: Task) -> Any:
        if task.arguments == 1:
            assert started.wait(20)
            raise TaskFailed("E")
        started.set()
        frame = interpreter._frame
        assert frame is not None
        assert frame.given_up.wait(20)
        return "too late"

    states = {"Each": mapping({"In": task()}, Items=[1, 2])}
    interpreter = Interpreter(machine(states), call, parallel=True)
    ended = run(interpreter, {})
    assert (ended.status, ended.error) == ("FAILED", "E")
    assert kinds(ended)[-4:] == [
        "TaskStateAborted",
        "MapIterationAborted",
        "MapStateFailed",
        "ExecutionFailed",
    ]
    assert ended.count("MapIterationFailed") == 1
    assert ended.count("TaskSucceeded") == 0


# ---------------------------------------------------------------- limits
@pytest.mark.parametrize(
    "state",
    [
        task(Arguments={"all": "{% $states.input & 'x' %}"}),
        task(Arguments={}),  # the result
        passing(Output="{% $states.input & $states.input %}"),
        passing(Assign={"half": "{% $states.input %}", "more": "{% $states.input %}"}),
        mapping({"In": passing()}, Items=[1, 2], ItemSelector="{% $states.input %}"),
    ],
)
def test_payloads_are_limited_and_no_wildcard_takes_that(state: dict[str, Any]) -> None:
    if state["Type"] != "Pass":
        state["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    states = {"X": {**state, "Next": "Caught"}, "Caught": passing(Output="small")}
    states["X"].pop("End", None)
    ended = ran(machine(states), "x" * 200_000, lambda task: BIG)
    assert ended.error == "States.DataLimitExceeded"


def test_a_payload_is_counted_in_bytes_and_the_last_fits() -> None:
    fits = "ä" * 131_071  # with its quotes 262,144 bytes
    assert ran(machine({"X": passing()}), fits).output == fits
    states = {"X": passing(Output="{% $states.input & 'x' %}")}
    assert ran(machine(states), fits).error == "States.DataLimitExceeded"


def test_all_variables_together_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.states.interpreter.MAX_VARIABLES", 1024 * 1024)
    states = {
        f"S{n}": passing(Assign={f"v{n}": "{% $states.input %}"}, Next=f"S{n + 1}")
        for n in range(10)
    }
    states["S10"] = passing()
    ended = ran(machine(states), "x" * 200_000)
    assert ended.error == "States.DataLimitExceeded"
    assert ended.history[-2].state == "S5"  # five of these fit


def test_an_endless_loop_ends_with_the_history() -> None:
    states = {
        "X": task(Next="Y", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Y"}]),
        "Y": choice(Default="X"),
    }
    ended = ran(machine(states))
    assert (ended.status, ended.error, len(ended.history)) == ("FAILED", "States.Runtime", 25_000)
    assert "maximum number of history events" in ended.cause


def test_an_execution_has_a_time_limit() -> None:
    now = 0.0

    def call(task: Task) -> Any:
        nonlocal now
        now += 40
        return None

    states = {"X": task(Next="Y"), "Y": task(Next="Z"), "Z": passing()}
    assert (
        ran(machine(states, TimeoutSeconds=80), {}, call, clock=lambda: now).status == "SUCCEEDED"
    )
    ended = ran(machine(states, TimeoutSeconds=79), {}, call, clock=lambda: now)
    assert (ended.status, ended.error) == ("TIMED_OUT", "States.Timeout")
    assert kinds(ended)[-3:] == ["TaskStarted", "TaskStateAborted", "ExecutionTimedOut"]


# ---------------------------------------------------------------- the history
def test_the_events_of_a_task_that_is_retried_and_caught() -> None:
    """As AWS records them: a retry schedules and starts again, a state that was caught is exited."""
    retry = [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 1}]
    ended, _, _ = retried("States.Timeout", "E", retry=retry)
    assert kinds(ended) == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskTimedOut",
        "TaskScheduled",
        "TaskStarted",
        "TaskFailed",
        "TaskStateExited",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert [event.id for event in ended.history] == list(range(1, 13))


def test_the_events_of_a_map() -> None:
    states = {"Each": mapping({"In": task()}, Items=[1, 2]), "End": passing()}
    states["Each"] = mapping({"In": task()}, Items=[1, 2], Next="End")
    one = ["TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited"]
    iteration = ["MapIterationStarted", *one, "MapIterationSucceeded"]
    assert kinds(ran(machine(states))) == [
        "ExecutionStarted",
        "MapStateEntered",
        "MapStateStarted",
        *iteration,
        *iteration,
        "MapStateSucceeded",
        "MapStateExited",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]


# ---------------------------------------------------------------- stop and redrive
def test_a_stop_while_a_state_is_entered() -> None:
    stops = ["Y"]

    def enter(state: str) -> None:
        if state in stops:
            stops.clear()
            raise Stopped

    calls = Script(1, 2)
    interpreter = Interpreter(machine({"X": task(Next="Y"), "Y": task()}), calls, enter=enter)
    ended = run(interpreter, {"in": 1})
    assert (ended.status, ended.output, len(calls.tasks)) == ("ABORTED", None, 1)
    assert kinds(ended)[-3:] == ["TaskStateEntered", "TaskStateAborted", "ExecutionAborted"]
    ended = interpreter.redrive()
    assert (ended.status, ended.output) == ("SUCCEEDED", 2)
    assert kinds(ended)[-7:] == [
        "ExecutionAborted",
        "ExecutionRedriven",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    assert calls.tasks[1].arguments == 1
    assert calls.tasks[1].context["Execution"]["RedriveCount"] == 1
    assert calls.tasks[1].context["Execution"]["Input"] == {"in": 1}
    with pytest.raises(ValueError, match="without success"):
        interpreter.redrive()


def test_a_redrive_keeps_the_iterations_that_succeeded_and_counts_retries_anew() -> None:
    states = {
        "Set": passing(Assign={"v": 9}, Next="Each"),
        "Each": mapping(
            {
                "In": passing(Assign={"w": "{% $states.input * 10 %}"}, Next="Ask"),
                "Ask": task(
                    Arguments=["{% $states.input %}", "{% $v %}", "{% $w %}"],
                    Retry=[{"ErrorEquals": ["E"], "MaxAttempts": 1}],
                ),
            },
            Items=[1, 2, 3],
        ),
    }
    calls = Script("one", TaskFailed("E"), TaskFailed("E"), TaskFailed("E"), "two", "three")
    interpreter = Interpreter(machine(states), calls)
    assert run(interpreter, {}).status == "FAILED"
    ended = interpreter.redrive()
    assert (ended.status, ended.output) == ("SUCCEEDED", ["one", "two", "three"])
    assert [call.arguments[0] for call in calls.tasks] == [1, 2, 2, 2, 2, 3]
    assert calls.tasks[3].arguments == [2, 9, 20]
    assert kinds(ended).count("MapStateStarted") == 1
    assert kinds(ended).count("MapIterationStarted") == 3


def test_a_map_over_the_data_limit_is_redriven_as_a_whole() -> None:
    results = Script("x" * 200_000, "x" * 200_000, "a", "b")
    interpreter = Interpreter(machine({"Each": mapping({"In": task()}, Items=[1, 2])}), results)
    assert run(interpreter, {}).error == "States.DataLimitExceeded"
    assert interpreter.redrive().output == ["a", "b"]


def test_a_redrive_of_a_fail_state_fails_again() -> None:
    calls = Script(TaskFailed("E"))
    states = {
        "X": task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "No"}]),
        "No": {"Type": "Fail", "Error": "Broken"},
    }
    interpreter = Interpreter(machine(states), calls)
    assert run(interpreter, {}).error == "Broken"
    ended = interpreter.redrive()
    assert (ended.error, len(calls.tasks)) == ("Broken", 1)
    assert kinds(ended)[-3:] == ["ExecutionRedriven", "FailStateEntered", "ExecutionFailed"]


# ---------------------------------------------------------------- definitions
def test_the_definition_of_the_product_is_known() -> None:
    Interpreter(DEFINITION, echo, substitutions=FUNCTIONS)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (machine({"X": {**task(), "HeartbeatSeconds": 3}}), "HeartbeatSeconds"),
        (machine({"X": {**task(), "ResultPath": "$"}}), "ResultPath"),
        (machine({"X": {**task(), "Resource": INVOKE + ".waitForTaskToken"}}), "waitForTaskToken"),
        (machine({"X": {"Type": "Parallel", "Branches": [], "End": True}}), "Parallel"),
        (machine({"X": {**passing(), "QueryLanguage": "JSONPath"}}), "not in JSONata"),
        (machine({"X": passing(Next="Y")}), "'Y'"),
        (machine({"X": {"Type": "Pass"}}), "Next or End"),
        (machine({"X": passing(Output="{% $states. %}")}), "cannot parse the expression"),
        (machine({"X": passing(Output="{% 1 + 1 ")}), "does not end"),
        (machine({"X": passing(Output="{% $eval('1') %}")}), "eval"),
        (machine({"X": task(Arguments="${Function}")}), "Function"),
        (machine({"X": passing()}, Timeouts=1), "Timeouts"),
        ({**machine({"X": passing()}), "QueryLanguage": "JSONPath"}, "JSONata"),
        ({**machine({"X": passing()}), "StartAt": "Y"}, "'Y'"),
        (machine({"X": mapping({"In": passing(Assign={"a": 1})}, Assign={"a": 2})}), "assigns"),
        (machine({"X": mapping({"In": passing()}, ToleratedFailureCount=1)}), "Tolerated"),
        (machine({"X": task(Retry=[{"ErrorEquals": ["A", "States.ALL"]}])}), "alone"),
        (machine({"X": task(Retry=[{"ErrorEquals": ["A"], "JitterStrategy": "SOME"}])}), "Jitter"),
        (machine({"X": task(Retry=[{"ErrorEquals": ["A"], "MaxDelaySeconds": 1}])}), "MaxDelay"),
        (
            machine(
                {"X": task(Catch=[{"ErrorEquals": [e], "Next": "X"} for e in ("States.ALL", "A")])}
            ),
            "alone",
        ),
    ],
)
def test_what_is_not_known_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        Interpreter(wrong, echo)


def test_a_map_of_another_mode_is_refused() -> None:
    each = mapping({"In": passing()})
    each["ItemProcessor"]["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    with pytest.raises(DefinitionError, match="DISTRIBUTED"):
        Interpreter(machine({"X": each}), echo)


def test_substitutions() -> None:
    definition = machine({"X": task(Arguments={"FunctionName": "${Plan}"})})
    assert ran(substituted(definition, {"Plan": "arn"})).output == {"FunctionName": "arn"}
    with pytest.raises(DefinitionError, match="Plan"):
        substituted(definition, {"Other": "arn"})


def test_a_function_s_answer_carries_what_its_response_said() -> None:
    """As recorded of AWS: about a kilobyte, which counts for the limit of a payload."""
    result = lambda_result({"a": 1})
    assert result["Payload"] == {"a": 1}
    assert 1000 < len(json.dumps(result)) < 1500
