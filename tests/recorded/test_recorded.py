"""The replay of recorded executions, with two recordings of our own making in a checkout of the same form."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.recorded import checkout, replay
from tests.recorded.__main__ import main
from tests.recorded.convert import NotConvertible, converted

TEST = """
import json

import pytest
from localstack_snapshot.snapshots.transformer import RegexTransformer

from localstack.testing.pytest import markers
from localstack.testing.pytest.stepfunctions.utils import create_and_record_execution
from localstack.utils.strings import short_uid
from tests.aws.services.stepfunctions.templates.own import load


@markers.snapshot.skip_snapshot_verify(paths=["$..x"])
class TestOwn:
    @markers.aws.validated
    @pytest.mark.parametrize("tea", ["green", "black"])
    def test_tea(
        self, aws_client, create_state_machine_iam_role, create_state_machine, sfn_snapshot,
        create_lambda_function, tea,
    ):
        name = f"brew_{short_uid()}"
        sfn_snapshot.add_transformer(RegexTransformer(name, "<function>"))
        create_lambda_function(func_name=name, handler_file="x")
        definition = json.dumps(load("tea.json5")).replace("_tbd_", name)
        create_and_record_execution(
            aws_client, create_state_machine_iam_role, create_state_machine, sfn_snapshot,
            definition, json.dumps({"tea": tea}),
        )

    @markers.aws.validated
    def test_of_another_service(self, aws_client, create_queue):
        create_queue()
"""

TEMPLATES = """
import json5
import os


def load(name):
    with open(os.path.join(os.path.dirname(__file__), name)) as file:
        return json5.load(file)
"""

TEA = """{
  // A comment, and commas before brackets.
  "QueryLanguage": "JSONata",
  "StartAt": "Brew",
  "States": {
    "Brew": {
      "Type": "Task",
      "Resource": "arn:aws:states:::lambda:invoke",
      "Arguments": {"FunctionName": "_tbd_", "Payload": "{% $states.input.tea %}"},
      "Output": {"cup": "{% $states.result.Payload %}", "of": "_tbd_"},
      "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error %}", "Next": "Spilt",},],
      "End": true,
    },
    "Spilt": {"Type": "Fail", "Error": "NoTea"},
  },
}"""


def event(number: int, kind: str, **details: Any) -> dict[str, Any]:
    name = f"{kind[0].lower()}{kind[1:]}EventDetails"
    if kind.endswith(("StateEntered", "StateExited")):
        name = "stateEnteredEventDetails" if kind.endswith("Entered") else "stateExitedEventDetails"
    return {"id": number, "previousEventId": number - 1, "type": kind, name: details}


START = [
    event(1, "ExecutionStarted"),
    event(2, "TaskStateEntered", name="Brew"),
    event(3, "TaskScheduled"),
    event(4, "TaskStarted"),
]
GREEN = [
    *START,
    event(5, "TaskSucceeded", output={"Payload": "a cup of green"}),
    event(6, "TaskStateExited", name="Brew"),
    event(7, "ExecutionSucceeded", output={"cup": "a cup of green", "of": "<function>"}),
]
BLACK = [
    *START,
    event(5, "TaskFailed", error="Broken", cause={"errorMessage": "no"}),
    event(6, "TaskStateExited", name="Brew"),
    event(7, "FailStateEntered", name="Spilt"),
    event(8, "ExecutionFailed", error="NoTea"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with the two recordings, and its git directory in .git."""
    tests = tmp_path / "localstack" / checkout.TESTS
    (tests / "v2" / "own").mkdir(parents=True)
    (tests / "templates").mkdir()
    (tests / "v2" / "own" / "test_own.py").write_text(TEST)
    (tests / "templates" / "own.py").write_text(TEMPLATES)
    (tests / "templates" / "tea.json5").write_text(TEA)
    record(tmp_path / "localstack", GREEN, BLACK)
    git(tmp_path / "localstack", "init", "-q")
    git(tmp_path / "localstack", "add", ".")
    git(tmp_path / "localstack", "commit", "-q", "-m", "recorded")
    return tmp_path / "localstack"


def record(folder: Path, green: list[dict[str, Any]], black: list[dict[str, Any]]) -> None:
    name = f"{checkout.TESTS}/v2/own/test_own.py::TestOwn::test_tea"
    snapshots = {
        f"{name}[{tea}]": {
            "recorded-date": "19-11-2024, 13:28:34",
            "recorded-content": {"get_execution_history": {"events": events}},
        }
        for tea, events in (("green", green), ("black", black))
    }
    path = folder / checkout.TESTS / "v2" / "own" / "test_own.snapshot.json"
    path.write_text(json.dumps(snapshots))


def git(folder: Path, *command: str) -> None:
    own = (
        "-c",
        "user.name=test",
        "-c",
        "user.email=test@example.org",
        "-c",
        "commit.gpgsign=false",
    )
    subprocess.run(["git", *own, *command], cwd=folder, check=True, capture_output=True)


def test_a_replay_that_agrees(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    before = {
        path: path.stat().st_mtime_ns for path in folder.rglob("*") if ".git" not in path.parts
    }
    assert main([str(folder), "--page", str(page)]) == 0
    assert capsys.readouterr().out.startswith("2 executions replayed, 0 not run")
    text = page.read_text()
    assert "| `own/test_own` | 2 | 2024-11-19 | 2 | 2 | 2 |" in text
    assert "## Differences\n\nNone." in text
    after = {
        path: path.stat().st_mtime_ns for path in folder.rglob("*") if ".git" not in path.parts
    }
    assert after == before  # nothing is written into the checkout


def test_a_git_directory_is_as_good(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    assert main([str(folder / ".git"), "--page", str(page)]) == 0
    assert "| **all** | 2 | 2024-11-19 | 2 | 2 | 2 |" in page.read_text()


def test_a_difference_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Had AWS answered otherwise: another output, another error."""
    other = [
        *GREEN[:-1],
        event(7, "ExecutionSucceeded", output={"cup": "coffee", "of": "<function>"}),
    ]
    error = [*BLACK[:-1], event(8, "ExecutionFailed", error="NoCoffee")]
    record(folder, other, error)
    page = tmp_path / "page.md"
    assert main([str(folder), "--page", str(page)]) == 1
    lines = capsys.readouterr().out.splitlines()[1:]
    assert (
        sorted(line.partition(": ")[0] for line in lines) == ["interpreter"] * 2 + ["local AWS"] * 2
    )
    text = page.read_text()
    assert "output at $.cup" in text
    assert "error 'NoTea' instead of 'NoCoffee'" in text
    assert text.count("not judged yet") == 4


def test_other_events_are_counted(folder: Path, tmp_path: Path) -> None:
    record(folder, GREEN, [*BLACK[:5], *BLACK[6:]])
    page = tmp_path / "page.md"
    assert main([str(folder), "--page", str(page)]) == 0
    assert "| `own/test_own` | 2 | 2024-11-19 | 2 | 1 | 2 |" in page.read_text()


def test_what_is_no_checkout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "empty")
    assert main([str(tmp_path / ".git"), "--page", str(tmp_path / "page.md")]) == 2
    assert "name a checkout of github.com/localstack/localstack" in capsys.readouterr().err


# ---------------------------------------------------------------- JSONPath in JSONata
INVOKE = "arn:aws:states:::lambda:invoke"


@pytest.mark.parametrize(
    ("state", "made"),
    [
        (
            {
                "Type": "Task",
                "Resource": INVOKE,
                "Parameters": {"a.$": "$.x[0].y", "b": {"c.$": "$$.Execution.Id"}, "d": 1},
                "ResultPath": "$.r",
            },
            {
                "Arguments": {
                    "a": "{% $states.input.x[0].y %}",
                    "b": {"c": "{% $states.context.Execution.Id %}"},
                    "d": 1,
                },
                "Output": "{% $merge([$states.input, {'r': $states.result}]) %}",
            },
        ),
        (
            {
                "Type": "Task",
                "Resource": "arn:aws:lambda:us-east-1:1:function:f",
                "ResultPath": None,
            },
            {
                "Resource": INVOKE,
                "Arguments": {
                    "FunctionName": "arn:aws:lambda:us-east-1:1:function:f",
                    "Payload": "{% $states.input %}",
                },
                "Output": "{% $states.input %}",
            },
        ),
        (
            {
                "Type": "Choice",
                "Choices": [{"Not": {"Variable": "$.a", "IsPresent": True}, "Next": "X"}],
            },
            {
                "Choices": [
                    {"Condition": "{% $not($exists($states.input.a) = true) %}", "Next": "X"}
                ]
            },
        ),
        (
            {
                "Type": "Map",
                "ItemsPath": "$.all",
                "ItemSelector": {"v.$": "$$.Map.Item.Value"},
                "Iterator": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}},
            },
            {
                "Items": "{% $states.input.all %}",
                "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}"},
                "Output": "{% $states.result %}",
            },
        ),
    ],
)
def test_a_state_in_jsonata(state: dict[str, Any], made: dict[str, Any]) -> None:
    found = converted({"StartAt": "X", "States": {"X": {**state, "End": True}}})["States"]["X"]
    assert {name: found[name] for name in made} == made


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "InputPath": "$.a"},
        {"Type": "Pass", "Parameters": {"a.$": "States.UUID()"}},
        {"Type": "Pass", "Result": 1, "ResultPath": "$.a.b"},
        {"Type": "Parallel", "Branches": []},
        {"Type": "Choice", "Choices": [{"Variable": "$.a", "StringMatches": "x*", "Next": "X"}]},
        {"Type": "Map", "ItemReader": {}, "ItemProcessor": {"StartAt": "P", "States": {}}},
    ],
)
def test_what_has_no_counterpart(state: dict[str, Any]) -> None:
    with pytest.raises(NotConvertible):
        converted({"StartAt": "X", "States": {"X": {**state, "End": True}}})


@pytest.mark.parametrize(
    ("wanted", "seen", "place"),
    [
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, ""),
        ({"a": [1, 2]}, {"a": [1, 3]}, "$.a[1]"),
        ({"a": [1]}, {"a": [1, 2]}, "$.a"),
        ({"a": 1}, {"a": 1, "b": 2}, "$.b"),
        ({"a": True}, {"a": 1}, "$.a"),
        ({"Error": "E", "Cause": "one"}, {"Error": "E", "Cause": "other"}, ""),
        ({"id": "<uuid:1>"}, {"id": "8a"}, ""),
        ({"name": "a <function>"}, {"name": "a f1"}, ""),
        ("[1,2]", "[1, 2]", ""),
    ],
)
def test_where_values_differ(wanted: Any, seen: Any, place: str) -> None:
    assert replay.difference(wanted, seen) == place
