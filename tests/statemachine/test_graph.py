"""The state machine's definition, with the results of its tasks played: where each leads, what is tried again, and
what becomes of an error, under the names that AWS gives them.
"""

import json
import re
from typing import Any

import pytest
from loader.request import parse

from local.states.interpreter import Ended, TaskFailed
from tests.statemachine.outcomes import said_by
from tests.statemachine.play import (
    BATCHES,
    LEADS,
    MARK,
    REPORTS,
    REST,
    START_REST,
    STATES,
    TASKS,
    Player,
    significant,
    way_to,
)
from tests.world.product import DEFINITION, HANDLERS, TIMEOUTS, lambda_result

FUNCTION_OF = {
    name: STATES[name]["Arguments"]["FunctionName"].strip("${}")
    for name in TASKS
    if name != START_REST
}
FAILURE = "Finish failed load"
# A handler's exception arrives under its class's name, with this in its Cause.
RAISED = json.dumps({"errorMessage": "what happened", "errorType": "E", "stackTrace": []})


def script_to(state: str, *ends: str | TaskFailed) -> dict[str, list[str | TaskFailed]]:
    """The script that reaches the state, whose calls then end so."""
    script: dict[str, list[str | TaskFailed]] = {}
    for before, outcome in way_to(state) if state != START_REST else ():
        script.setdefault(before, []).append(outcome)
    script.setdefault(state, []).extend(ends)
    return script


def rest_for(state: str) -> str:
    return REST if state == START_REST else ""


def retriers(state: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = STATES[state]["Retry"]
    return found


def delays(retrier: dict[str, Any], tries: int) -> list[float]:
    """The longest waits before each of so many tries, by the definition's figures."""
    most = retrier.get("MaxDelaySeconds", 10**9)
    return [
        min(retrier["IntervalSeconds"] * retrier.get("BackoffRate", 2) ** number, most)
        for number in range(tries)
    ]


# ---------------------------------------------------------------- what the functions say
def test_every_state_that_calls_a_function_stands_in_the_table() -> None:
    assert {*LEADS, *REPORTS, START_REST} == set(TASKS)


@pytest.mark.parametrize("state", LEADS)
def test_the_table_has_what_the_function_can_say_and_nothing_else(state: str) -> None:
    said = said_by(HANDLERS[FUNCTION_OF[state]].removesuffix(".handler"))
    # A file that is put aside is published or fails its batch in the end: this step does not say it.
    assert set(LEADS[state]) == said - ({"published"} if state == "Find bad files" else set())


@pytest.mark.parametrize(
    ("state", "outcome"), [(state, outcome) for state, leads in LEADS.items() for outcome in leads]
)
def test_every_outcome_leads_where_it_should(state: str, outcome: str) -> None:
    player = Player(script_to(state, outcome))
    ended = player.run()
    states = list(significant(ended))
    # What comes after the state's last call on the scripted way; calls after that go well.
    number = [index for index, name in enumerate(states) if name == state][
        [before for before, _ in way_to(state)].count(state)
    ]
    assert states[number + 1] == LEADS[state][outcome]
    bad = {FAILURE, "Batch not loaded"} & set(states)
    assert ended.status == ("FAILED" if bad else "SUCCEEDED")


@pytest.mark.parametrize("state", [state for state in LEADS if "running" in LEADS[state]])
def test_what_a_running_step_says_is_handed_back_to_it(state: str) -> None:
    player = Player(script_to(state, "running", "running"))
    player.run()
    carried = "batch" if state in BATCHES else "load"
    calls = [task.arguments["Payload"][carried] for task in player.of(state)]
    before = [name for name, _ in way_to(state)].count(state)
    assert [call.get("outcome") for call in calls[before + 1 : before + 3]] == ["running"] * 2


@pytest.mark.parametrize(
    "state", [state for state in LEADS if STATES[STATES[state]["Next"]]["Type"] == "Choice"]
)
def test_what_no_function_says_fails_the_load(state: str) -> None:
    """And does not go round for ever."""
    ended = Player(script_to(state, "something new")).run()
    assert (ended.status, ended.error) == ("FAILED", "LoadFailed")


def test_a_plan_that_goes_on_has_what_it_said_and_a_first_plan_has_nothing() -> None:
    player = Player(script_to("Plan", "running", "no tables"))
    player.run({"outcome": "load"})  # a person's input is no load
    first, second, third = (task.arguments["Payload"] for task in player.of("Plan"))
    assert first["input"] == second["input"] == third["input"] == {"outcome": "load"}
    assert second["load"]["outcome"] == "running"
    assert third["load"]["outcome"] == "again"
    assert third["load"]["load_id"] == "x"


def test_each_batch_is_loaded_and_the_report_has_them_all() -> None:
    player = Player(batches=12)
    ended = player.run()
    assert ended.status == "SUCCEEDED"
    assert ended.output == {"load_id": "x", "status": "Finish"}
    [report] = player.of("Finish")
    batches = report.arguments["Payload"]["batches"]
    assert [batch["batch"] for batch in batches] == [str(number) for number in range(12)]
    assert report.arguments["Payload"]["rest_started"] is False


def test_a_load_of_one_batch_has_one_batch() -> None:
    """The commonest load: its array of one is an array to Step Functions.

    Source: github.com/localstack/localstack, tests/aws/services/stepfunctions/v2/scenarios/test_base_scenarios,
    test_map_state_items_input_array[singleton], recorded on AWS 2024-11-19
    """
    player = Player(batches=1)
    assert player.run().status == "SUCCEEDED"
    assert [task.arguments["Payload"]["batch"]["batch"] for task in player.of("Publish")] == ["0"]


def expressions(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in expressions(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in expressions(inner)]
    return [value] if isinstance(value, str) and "{%" in value else []


def test_no_expression_is_a_text_or_makes_a_range() -> None:
    """A blank before its mark makes a text of an expression. Of ranges there is no recording, but one: AWS's $range of
    one element gave the element, not an array (v2/intrinsic_functions/test_array_jsonata, test_array_range).
    """
    found = expressions(DEFINITION)
    assert len(found) > 50
    for text in found:
        assert text.startswith("{% ")
        assert text.endswith(" %}")
        assert not re.search(r"\.\.|\$range", text)


# ---------------------------------------------------------------- errors
def went_wrong(state: str, player: Player, ended: Ended, error: str, cause: str) -> None:
    """The state's error is caught where it should be: the other batches go on, the report has the error, and the
    execution fails with the report as its cause.
    """
    states = list(significant(ended))
    assert (ended.status, ended.error) == ("FAILED", "LoadFailed")
    load_id = "x" if "load_id" in player.tasks[-1].arguments["Payload"]["load"] else None
    if state in REPORTS:
        assert states[-1] == "Load failed"
        told = json.loads(ended.cause)
        assert (told["status"], told.get("load_id")) == ("failed", load_id)
        assert told["cause"] == (
            f"{state} failed, so there is no report; what is published stays published. {error}: {cause}"
        )
        return
    [call] = player.of(FAILURE)
    payload = call.arguments["Payload"]
    assert json.loads(ended.cause) == {"load_id": "x", "status": FAILURE}
    assert (payload["execution"], payload["started"]) == (
        call.context["Execution"]["Id"],
        call.context["Execution"]["StartTime"],
    )
    if state in BATCHES:
        first, *others = payload["batches"]
        assert first["outcome"] == "failed"
        assert first["error"] == {"State": state, "Error": error, "Cause": cause}
        assert [batch["outcome"] for batch in others] == ["published"] * 2
        assert payload["error"] == {}
    else:
        assert payload["error"] == {"State": state, "Error": error, "Cause": cause}
    if state == "Plan":
        assert payload["load"] == {}
    if state == START_REST:
        assert [batch["outcome"] for batch in payload["batches"]] == ["published"] * 3
        assert payload["rest_started"] is False


# What Lambda says of an invocation that was lost, and of a function that was killed or ran out of time or memory.
# Sources: docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html, "Handle transient Lambda service
# exceptions"; …/lambda/latest/dg/troubleshooting-invocation.html
OF_LAMBDA = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "States.Timeout",
)
RETRIED = (
    *OF_LAMBDA,
    # What AWS says to our code: a limit of the Data API, a service that fails, a connection that breaks.
    "ActiveStatementsExceededException",
    "InternalServerException",
    "ClientError",
    "ReadTimeoutError",
    # Nothing names these; a second try costs little, and a rule that is still being deployed may have passed.
    "ValidationException",
    "Lambda.ResourceNotFoundException",
    "Lambda.AccessDeniedException",
    "States.Permissions",
    "Runtime.ImportModuleError",
    "Runtime.MarshalError",
    "Function.ResponseSizeTooLarge",
    "MemoryError",
    "KeyError",
    "A name that AWS may add",
)
# Any of them but States.Timeout.
OF_START_REST = (
    "StepFunctions.ExecutionLimitExceededException",
    "StepFunctions.SdkClientException",
)


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (state, error)
        for state in TASKS
        for error in (OF_START_REST if state == START_REST else RETRIED)
    ],
)
def test_an_error_that_may_pass_is_tried_again_then_reported(state: str, error: str) -> None:
    retrier = retriers(state)[-1]
    failure = TaskFailed(error, "" if error == "States.Timeout" else RAISED)
    most = retrier["MaxAttempts"]
    before = [name for name, _ in way_to(state)].count(state) if state != START_REST else 0

    player = Player(script_to(state, *[failure] * most), rest=rest_for(state))
    ended = player.run()
    assert player.waits == delays(retrier, most)
    assert ended.count("TaskFailed") + ended.count("TaskTimedOut") == most
    assert ended.status == ("FAILED" if state == FAILURE else "SUCCEEDED")
    assert "Load failed" not in ended.entered() or state == FAILURE

    player = Player(script_to(state, *[failure] * (most + 1)), rest=rest_for(state))
    ended = player.run()
    calls = player.of(state)
    mine = [
        c for c in calls if state not in BATCHES or c.arguments["Payload"]["batch"]["batch"] == "0"
    ]
    assert len(mine) == before + 1 + most
    went_wrong(state, player, ended, failure.error, failure.cause)


@pytest.mark.parametrize("state", TASKS)
def test_errors_that_may_pass_are_counted_together(state: str) -> None:
    most = retriers(state)[-1]["MaxAttempts"]
    names = OF_START_REST if state == START_REST else RETRIED
    failures = [TaskFailed(names[number % len(names)], RAISED) for number in range(most + 1)]
    player = Player(script_to(state, *failures[:-1]), rest=rest_for(state))
    assert player.run().status == ("FAILED" if state == FAILURE else "SUCCEEDED")
    assert len(player.waits) == most
    player = Player(script_to(state, *failures), rest=rest_for(state))
    went_wrong(state, player, player.run(), failures[-1].error, RAISED)


def test_each_step_has_the_same_retriers() -> None:
    """The final errors, with no attempts, ahead of States.ALL: the States Language's own example.

    Source: states-language.net/spec.html, "Retrying after error"
    """
    *final, others = retriers("Plan")
    assert final
    assert all(retrier.keys() == {"ErrorEquals", "MaxAttempts"} for retrier in final)
    assert {retrier["MaxAttempts"] for retrier in final} == {0}
    assert others["ErrorEquals"] == ["States.ALL"]
    assert others["JitterStrategy"] == "FULL"
    for state in FUNCTION_OF:
        assert retriers(state) == [*final, others]


def test_a_throttled_account_has_two_minutes_and_a_bug_is_reported_after_them() -> None:
    """At most: with full jitter it is half of that on average. A bug (KeyError) costs six more calls."""
    others = retriers("Plan")[-1]
    assert delays(others, others["MaxAttempts"]) == [2, 4, 8, 16, 32, 60]


@pytest.mark.parametrize("state", FUNCTION_OF)
@pytest.mark.parametrize(
    "error", [name for retrier in retriers("Plan")[:-1] for name in retrier["ErrorEquals"]]
)
def test_a_final_error_is_reported_at_once(state: str, error: str) -> None:
    player = Player(script_to(state, TaskFailed(error, RAISED)))
    ended = player.run()
    assert player.waits == []
    went_wrong(state, player, ended, error, RAISED)


TOO_LARGE = (
    "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes "
    "service limit."
)


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("state", FUNCTION_OF)  # what StartExecution answers is two short texts
def test_an_answer_that_is_too_large_is_reported_whatever_states_all_takes(
    state: str, taken: bool
) -> None:
    """AWS's documentation says that States.ALL does not take States.DataLimitExceeded, its recordings that it does."""

    class Large(Player):
        def __call__(self, task: Any) -> Any:
            answer = super().__call__(task)
            first = task.arguments.get("Payload", {}).get("batch", {}).get("batch", "0") == "0"
            large = lambda_result("x" * 262_144)
            return large if task.state == state and first else answer

    player = Large(script_to(state), wildcards_take_data_limit=taken)
    ended = player.run()
    assert player.waits == []
    went_wrong(state, player, ended, "States.DataLimitExceeded", TOO_LARGE)


@pytest.mark.parametrize("taken", [False, True])
def test_results_of_batches_that_are_too_large_together_are_reported(taken: bool) -> None:
    """Whatever a batch says; no batch of the loader's says so much (test_scale.py)."""

    class Large(Player):
        def result(self, task: Any, outcome: str) -> Any:
            answer = super().result(task, outcome)
            if task.state == "Publish":
                answer["Payload"]["spent"] = {"x": "x" * 100_000}
            return answer

    player = Large(wildcards_take_data_limit=taken)
    ended = player.run()
    assert (ended.status, ended.error) == ("FAILED", "LoadFailed")
    [call] = player.of(FAILURE)
    error = call.arguments["Payload"]["error"]
    assert (error["Error"], error["State"]) == ("States.DataLimitExceeded", "Load each batch")


def test_an_error_s_long_cause_is_cut_for_the_state_but_stays_readable() -> None:
    cause = json.dumps({"errorMessage": "what happened", "stackTrace": ["x" * 100_000]})
    player = Player(script_to("Publish", TaskFailed("StatementFailed", cause)))
    player.run()
    [call] = player.of(FAILURE)
    error = call.arguments["Payload"]["batches"][0]["error"]
    assert len(error["Cause"]) <= 2000
    assert "what happened" in error["Cause"]


def test_a_batch_that_failed_keeps_what_the_report_needs() -> None:
    checks = [{"name": "good", "passed": True}, {"name": "bad", "passed": False}]

    class Staged(Player):
        def result(self, task: Any, outcome: str) -> Any:
            answer = super().result(task, outcome)
            if task.state == "Stage":
                answer["Payload"] |= {"checks": checks, "known": 2}
            return answer

    player = Staged({"Publish": [TaskFailed("StatementFailed", RAISED)]})
    player.run()
    [call] = player.of(FAILURE)
    failed, *others = call.arguments["Payload"]["batches"]
    assert failed["known"] == 2
    assert checks[1] in failed["checks"]
    assert [other["known"] for other in others] == [2, 2]


def test_an_error_of_a_kind_that_is_a_text_does_not_hide_the_batch_s_cause() -> None:
    """COPY's error is a text in the batch's state, where an error of Step Functions is an object."""

    class Bad(Player):
        def result(self, task: Any, outcome: str) -> Any:
            answer = super().result(task, outcome)
            if outcome in ("bad files", "failed"):
                answer["Payload"] |= {"error": "COPY says no", "cause": "no file is bad"}
            return answer

    player = Bad({"Stage": ["bad files"], "Find bad files": ["failed"]})
    ended = player.run()
    assert ended.error == "LoadFailed"
    [call] = player.of(FAILURE)
    failed = call.arguments["Payload"]["batches"][0]
    assert (failed["cause"], failed["error"]) == ("no file is bad", {})


def test_a_redrive_of_a_load_that_failed_only_says_so_again() -> None:
    """Step Functions reenters the Fail state: what failed was caught before. The sweep or a new execution loads it."""
    player = Player({"Publish": [TaskFailed("StatementFailed", RAISED)]})
    failed = player.run()
    calls = len(player.tasks)
    again = player.interpreter.redrive()
    assert (again.status, again.error, again.cause) == ("FAILED", failed.error, failed.cause)
    assert len(player.tasks) == calls


# ---------------------------------------------------------------- the rest of a backfill
@pytest.mark.parametrize("fails", [False, True])
def test_the_rest_is_started_also_if_a_batch_failed(fails: bool) -> None:
    """The sweep's mark goes on with the rest, unless a batch failed: then it stays where it was."""
    script = {"Publish": [TaskFailed("StatementFailed", RAISED)]} if fails else {}
    player = Player(script, rest=REST)
    ended = player.run()
    [start] = player.of(START_REST)
    assert start.arguments["StateMachineArn"] == start.context["StateMachine"]["Id"]
    assert start.arguments["Input"]["objects"] == REST
    assert start.arguments["Input"]["mark"] == ("" if fails else MARK)
    [report] = player.of(FAILURE if fails else "Finish")
    assert report.arguments["Payload"]["rest_started"] is True
    assert ended.status == ("FAILED" if fails else "SUCCEEDED")


@pytest.mark.parametrize("mode", ["load", "reload"])
def test_the_rest_is_asked_for_as_the_first_was(mode: str) -> None:
    class Moded(Player):
        def result(self, task: Any, outcome: str) -> Any:
            answer = super().result(task, outcome)
            if task.state == "Plan":
                answer["Payload"] |= {"mode": mode, "named": mode == "reload"}
            return answer

    player = Moded(rest=REST)
    player.run()
    [start] = player.of(START_REST)
    request = parse(start.arguments["Input"])
    assert (request.mode, request.named, request.objects, request.mark) == (
        mode,
        mode == "reload",
        REST,
        MARK,
    )


def test_without_a_rest_nothing_is_started() -> None:
    player = Player()
    player.run()
    assert player.of(START_REST) == []


# ---------------------------------------------------------------- timeouts
@pytest.mark.parametrize("state", FUNCTION_OF)
def test_lambda_s_own_time_out_comes_first(state: str) -> None:
    """So that the step's error says what took so long."""
    assert STATES[state]["TimeoutSeconds"] == TIMEOUTS[FUNCTION_OF[state]] + 30
