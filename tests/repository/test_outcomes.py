"""Steps and state machine speak of the same outcomes: each one that a step can end with leads somewhere, and none is
waited for in vain.
"""

import ast
import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from loader import state
from loader.request import parse
from loader.steps import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = (ROOT / "template.yaml").read_text()
TIMEOUTS = {
    name: int(seconds)
    for name, seconds in re.findall(
        r"^  (\w+Function):\n(?:(?:    .*)?\n)*?.*\bTimeout: (\d+)", TEMPLATE, re.M
    )
}
ASL: dict[str, Any] = json.loads((ROOT / "statemachine" / "load.asl.json").read_text())
BATCH: dict[str, Any] = ASL["States"]["Load each batch"]["ItemProcessor"]["States"]
STATES: dict[str, Any] = {**ASL["States"], **BATCH}

# Step's module -> the Choice that reads its outcome, and the outcomes that go its Default way.
CHOICES = [
    ("plan", "Planned?", {"refused"}),
    ("preflight", "Checked or reset?", {"failed"}),
    ("reset", "Checked or reset?", {"refused"}),
    ("undo", "Undone?", {"refused", "failed"}),
    ("stage", "Staged?", {"failed"}),
    ("find_bad_files", "Bad files found?", {"failed"}),
    ("publish", "Published?", {"failed"}),
    ("leave_out_loaded", "Left out?", set()),
]
# Where a Choice's Default goes: a failure.
DEFAULTS = {
    "Planned?": "Finish failed load",
    "Checked or reset?": "Finish failed load",
    "Undone?": "Finish failed load",
    "Staged?": "Batch not loaded",
    "Bad files found?": "Batch not loaded",
    "Published?": "Batch not loaded",
    "Left out?": "Batch not loaded",
}

# Choices that read the outcomes of batches, and whether there is a rest.
AFTER_THE_BATCHES = {"All batches loaded?", "These batches loaded?"}


def known(choice: str) -> set[str]:
    """The outcomes that a Choice names."""
    conditions = " ".join(rule["Condition"] for rule in STATES[choice]["Choices"])
    lists = re.findall(r"outcome in \[([^\]]*)\]", conditions)
    return set(re.findall(r"outcome = '([^']*)'", conditions)) | {
        name for item in lists for name in re.findall(r"'([^']*)'", item)
    }


def produced(module: str) -> set[str]:
    """The outcomes of a step, as its type has them (loader/state.py)."""
    name = "".join(word.capitalize() for word in module.split("_"))
    return set(get_args(getattr(state, f"{name}Outcome")))


@pytest.mark.parametrize(("module", "choice", "by_default"), CHOICES)
def test_every_outcome_of_a_step_is_known(module: str, choice: str, by_default: set[str]) -> None:
    assert produced(module) == (produced(module) & known(choice)) | by_default


@pytest.mark.parametrize("choice", sorted(DEFAULTS))
def test_every_outcome_that_is_known_is_produced(choice: str) -> None:
    steps = [module for module, read_by, _ in CHOICES if read_by == choice]
    assert steps
    assert known(choice) <= set().union(*(produced(module) for module in steps))


def test_where_what_is_not_named_goes() -> None:
    choices = {
        name
        for name, state in STATES.items()
        if state["Type"] == "Choice" and name not in AFTER_THE_BATCHES
    }
    assert choices == DEFAULTS.keys()
    assert {name: STATES[name]["Default"] for name in choices} == DEFAULTS


def test_a_step_is_followed_by_its_choice() -> None:
    for module, choice, _ in CHOICES:
        function = "".join(word.capitalize() for word in module.split("_"))
        tasks = [
            state
            for state in STATES.values()
            if state["Type"] == "Task"
            and state["Arguments"].get("FunctionName") == f"${{{function}Function}}"
        ]
        assert [state["Next"] for state in tasks] == [choice]


def test_the_steps_without_a_choice_are_those_whose_transitions_count_once() -> None:
    """What a load has spent counts a step's Choice with its Task, but for these; finish is counted by itself."""
    code = "\n".join(p.read_text() for p in (ROOT / "functions" / "loader").glob("*.py"))
    [named] = re.findall(r"^WITHOUT_CHOICE = (\(.*\))$", code, re.M)
    functions = {
        state["Arguments"]["FunctionName"].strip("${}").removesuffix("Function")
        for _, state in tasks()
        if STATES.get(state.get("Next", ""), {}).get("Type") != "Choice"
    }
    steps = {re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() for name in functions}
    assert set(ast.literal_eval(named)) == steps - {"finish"}


def test_what_is_handed_back_is_called_again() -> None:
    """``running`` leads back to the step itself, so that it waits on."""
    for choice in ("Planned?", "Undone?", "Staged?", "Bad files found?", "Published?", "Left out?"):
        before = {name for name, state in STATES.items() if state.get("Next") == choice}
        [rule] = [r for r in STATES[choice]["Choices"] if "'running'" in r["Condition"]]
        assert rule["Next"] in before


def tasks() -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, state)
        for name, state in STATES.items()
        if state["Type"] == "Task" and state["Resource"].endswith("lambda:invoke")
    ]


@pytest.mark.parametrize(("name", "state"), tasks())
def test_a_step_is_retried_unless_its_error_is_final_and_its_failure_is_caught(
    name: str, state: dict[str, Any]
) -> None:
    *final, others = state["Retry"]
    assert [rule["MaxAttempts"] for rule in final] == [0] * len(final)
    assert (others["ErrorEquals"], others["MaxAttempts"]) == (["States.ALL"], 6)
    named = {error for rule in final for error in rule["ErrorEquals"]}
    assert {"StatementFailed", "TemplateError", "SettingsError"} <= named
    # Lambda reports an exception of botocore by the name of its class, which is the service's own name for it.
    assert not named & {
        "ActiveStatementsExceededException",
        "BatchExecuteStatementException",
        "InternalServerException",
        "ClientError",
        "EndpointConnectionError",
        "Lambda.TooManyRequestsException",
        "Lambda.ServiceException",
        "States.Timeout",
    }
    function = re.fullmatch(r"\$\{(\w+)\}", state["Arguments"]["FunctionName"])
    assert function
    # Lambda's own time-out comes first, so that the step's error says what took so long.
    assert state["TimeoutSeconds"] == TIMEOUTS[function.group(1)] + 30
    # The wildcard takes the data limit in AWS's recordings, and does not in its documentation: it is named.
    too_large, any_other = state["Catch"]
    assert too_large["ErrorEquals"] == ["States.DataLimitExceeded"]
    assert any_other == {**too_large, "ErrorEquals": ["States.ALL"]}


def waiting() -> list[str]:
    """The steps that wait for their statement over several calls."""
    modules = (ROOT / "functions").glob("*.py")
    return sorted(path.stem for path in modules if "steps import" in path.read_text())


@pytest.mark.parametrize("module", waiting())
def test_a_call_that_waits_ends_before_its_function_does(module: str) -> None:
    function = "".join(word.capitalize() for word in module.split("_")) + "Function"
    longest_request = 30  # WaitSeconds
    assert TIMEOUTS[function] >= PATIENCE + 2 * longest_request


def test_a_day_of_waiting_fits_into_an_executions_history() -> None:
    """25,000 events (step-functions/latest/dg/service-quotas.html): half of them for batches that wait, all at once."""
    calls = 24 * 60 * 60 / PATIENCE * ASL["States"]["Load each batch"]["MaxConcurrency"]
    events = (
        5 + 2
    )  # a Task: entered, scheduled, started, succeeded, exited; its Choice: entered, exited
    assert calls * events < 25_000 / 2


def test_the_plan_goes_on_with_what_it_said_last() -> None:
    """And not with what Plan said before Migrate, which counts the attempts."""
    load = STATES["Plan"]["Arguments"]["Payload"]["load"]
    assert load == "{% $exists($states.input.outcome) ? $states.input : {} %}"
    assert [rule["Assign"] for rule in STATES["Plan"]["Catch"]] == [{"load": {}}] * 2


def test_the_rest_is_started_before_a_failure_is_reported() -> None:
    """A batch that failed fails its execution, but does not stop the backfill; the mark stays where it was."""
    failed = "$count($states.input.batches[outcome != 'published']) > 0"
    rest, bad = STATES["All batches loaded?"]["Choices"]
    assert (rest["Condition"], rest["Next"]) == (
        "{% $load.rest != '' %}",
        "Start the next execution",
    )
    assert (bad["Condition"], bad["Next"]) == (f"{{% {failed} %}}", "Finish failed load")
    start = STATES["Start the next execution"]
    assert start["Arguments"]["Input"]["mark"] == f"{{% {failed} ? '' : $load.mark %}}"
    assert start["Output"]["rest_started"] is True
    assert start["Next"] == "These batches loaded?"
    assert STATES["These batches loaded?"]["Choices"] == [bad]
    for choice in AFTER_THE_BATCHES:
        assert STATES[choice]["Default"] == "Finish"
    for step in ("Finish", "Finish failed load"):
        given = STATES[step]["Arguments"]["Payload"]["rest_started"]
        assert given == "{% $exists($states.input.rest_started) %}"


def test_the_rest_of_a_load_is_a_request_that_is_accepted() -> None:
    given = STATES["Start the next execution"]["Arguments"]["Input"]
    assert sorted(given) == ["mark", "named", "objects", "reload"]
    assert given["named"] == "{% $load.named %}"
    assert parse({"objects": "s3://working/rest/x.json.gz", "mark": "", "named": True}).named
    parse({"objects": "s3://working/rest/x.json.gz", "mark": "", "reload": False})
    assert parse({"objects": "s3://working/events/x", "mark": "", "reload": True}).reload
