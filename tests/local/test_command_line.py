"""loader: what goes wrong as expected is a line with what to do, never a traceback."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from loader.page.model import Page

from contracts import build
from local import __main__ as command_line
from local.aws.ministack import language
from local.client.stack import Stack
from local.commands import demo, status
from local.datasets import Dataset, of_tree
from local.environment import ROOT, Ports
from local.show.report import Report, exit_code, headline
from local.show.state import State
from local.show.summary import Summary
from local.show.tables import Result
from tools import asl_lint

FREE_PORTS = {"LOCAL_AWS_PORT": "59821", "LOCAL_REDSHIFT_PORT": "59822"}


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local", *words],
        cwd=ROOT,
        env={**os.environ, **FREE_PORTS, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    """A command makes the environment its own; what runs after it in this process must not have it."""
    with mock.patch.dict(os.environ):
        yield


def test_help_names_every_command() -> None:
    shown = run("--help")
    assert shown.returncode == 0
    for name, module in command_line.COMMANDS.items():
        assert re.search(rf"^    {name}\s", shown.stdout, re.MULTILINE)
        assert module.HELP.split()[0] in shown.stdout


@pytest.mark.parametrize("name", list(command_line.COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.parser().parse_args([name, "--help"])
    assert ended.value.code == 0
    assert command_line.COMMANDS[name].HELP.split()[0] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sql", "SELECT 1"], "make up"),
        (["start"], "make up"),
        (["deploy"], "make up"),
        (["reset"], "make up"),
        (["upload", "."], "make up"),
        (["demo", "--data", "/no/such/folder"], "is not a folder"),
        (["generate", "--out", "/dev/null/x"], "generate: "),
    ],
)
def test_expected_problems_are_one_line(words: list[str], said: str) -> None:
    ended = run(*words)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_wrong_port_is_said() -> None:
    ended = run("status", LOCAL_AWS_PORT="http")
    assert ended.returncode == 2
    assert ended.stderr == (
        "status: LOCAL_AWS_PORT=http is not a port. Use a number from 1024 to 65535.\n"
    )


def test_generate_writes_a_data_set(tmp_path: Path) -> None:
    sizes = ("--songs", "3", "--users", "2", "--days", "1", "--events", "20")
    ended = run("generate", "--out", str(tmp_path / "data"), *sizes)
    assert ended.returncode == 0, ended.stderr
    assert len(list((tmp_path / "data" / "song_data").rglob("*.json"))) == 3
    assert "3 songs, 1 log files, 20 events" in ended.stderr


def test_a_definition_with_a_broken_expression_or_transition_is_told(tmp_path: Path) -> None:
    definition: dict[str, Any] = {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Output": {"x": "{% $states.input.(x %}"}, "Next": "B"}},
    }
    told = language.problems_of(json.dumps(definition))
    assert any('No state found named "B"' in line for line in told)
    assert any(line.startswith("$.States.A.Output.x: ") for line in told)
    definition["States"]["A"] = {"Type": "Pass", "Output": "{% $states.input.x %}", "End": True}
    assert language.problems_of(json.dumps(definition)) == []
    assert language.problems_of("{") != []
    assert asl_lint.main([]) == 1


def test_a_definition_with_a_fixed_partition_is_told() -> None:
    def told(resource: str) -> list[str]:
        task = {"Type": "Task", "Resource": resource, "Arguments": {}, "End": True}
        machine = {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": task}}
        return asl_lint.fixed_partitions_of(json.dumps(machine))

    assert told("arn:${Partition}:states:::lambda:invoke") == []
    [said] = told("arn:aws:states:::lambda:invoke")
    assert said.startswith("$.States.A.Resource: the partition is fixed")


REPORT: dict[str, Any] = {
    "status": "loaded",
    "files": {"loaded": 2, "rejected": 1},
    "rows": {"event_stage": 10, "song_stage": 1},
    "checks": [{"name": "unique", "on": "published", "figure": 0, "expected": 0, "passed": True}],
    "rejected": [{"key": "log_data/x.json", "line": 3, "column": "ts", "reason": "no number"}],
    "seconds": {"total": 4.0, "plan": 1.0},
}
TABLES = {"songplays": 8, "users": 2, "songs": 1, "artists": 1, "time": 8}


def test_the_summary_shows_and_writes_what_was_loaded() -> None:
    shown = Summary(TABLES, 3, [Report("e", False, REPORT)], {"start": 1.0, "load": 4.5})
    text = "\n".join(shown.lines())
    assert "2 loaded, 0 known, 1 rejected" in text
    assert "3 of 8 plays are matched to a song" in text
    assert "log_data/x.json     3  ts      no number" in text
    assert "unique  published       0         0  yes" in text
    assert "total  5.5 s" in text
    assert shown.passed
    written = shown.as_json()
    assert written["tables"] == TABLES
    assert written["loads"][0]["rows"]["event_stage"] == 10
    assert written["rejected"][0] == REPORT["rejected"][0]
    assert written["checks"] == REPORT["checks"]


def test_the_summary_counts_what_other_datasets_wrote(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    orders = tmp_path / "datasets" / "orders"
    shutil.copytree(build.ready() / "datasets", orders.parent)
    orders.mkdir()
    made = ("{loader_schema}.order_stage", "{schema}.orders", "{schema}.refunds", "{schema}.users")
    text = "".join(f"CREATE TABLE IF NOT EXISTS ${name} (a INT);\n" for name in made)
    (orders / "tables.sql").write_text(text)
    counted_in = ("{schema}.orders", "{schema}.users")  # two datasets may report one table
    text = "\nUNION ALL\n".join(f"SELECT COUNT(*) AS figure\nFROM ${name}" for name in counted_in)
    (orders / "published.sql").write_text(text)
    said = {"prefix": "orders/", "suffixes": [".json"], "stage_table": "order_stage"}
    (orders / "dataset.json").write_text(json.dumps(said))
    monkeypatch.setattr("local.commands.demo.datasets", lambda: of_tree(tmp_path))

    def counted(_: Any, sql: str) -> Result:
        names = re.findall(r'FROM "(\w+)"', sql)
        return Result([*names, "matched"], [[1] * (len(names) + 1)])

    monkeypatch.setattr("local.client.queries.run", counted)
    report = Report("e", False, {**REPORT, "rows": {"order_stage": 2, "orders": 1}})
    shown = demo.summary(None, [report], {})  # type: ignore[arg-type]
    assert list(shown.tables) == ["songplays", "users", "time", "orders", "songs", "artists"]
    assert "plays are matched" not in "\n".join(
        Summary({**TABLES, "songplays": 0}, 0, [], {}).lines()
    )


@pytest.mark.parametrize("keys", [[], ["log_data/a.csv", "song_data/b"]])
def test_an_upload_names_the_files_that_no_dataset_takes(
    keys: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for key in ("log_data/a.json", *keys):
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_text("{}")
    sample = {
        "keys": [{"dataset": "log_data", "path": "x", "file": "log_data/a.json", "new": True}]
    }
    report = Report("e", False, {**REPORT, "sample": sample})
    module = command_line.COMMANDS["upload"]
    monkeypatch.setattr(module, "clients", lambda at: None)
    monkeypatch.setattr(module, "upload", lambda *_: [report])
    monkeypatch.setattr("local.client.stack.deployed", lambda _: None)
    monkeypatch.setattr("local.client.stack.paused", lambda _: False)
    monkeypatch.setattr("local.client.target.isolated", lambda environ, _: dict(environ))
    command_line.main(["upload", str(tmp_path)])
    told = capsys.readouterr().out
    assert "new key   log_data: x, which no column takes; in log_data/a.json\n" in told
    named = f"not taken {', '.join(keys)}: no dataset takes files that end so\n"
    assert (named in told) == bool(keys) == ("not taken" in told)


@pytest.mark.parametrize("how", ["failed load", "failed check"])
def test_a_summary_with_a_failure_has_not_passed(how: str) -> None:
    data = json.loads(json.dumps(REPORT))
    data["checks"][0]["passed"] = how != "failed check"
    shown = Summary(TABLES, 0, [Report("e", how == "failed load", data)], {})
    assert not shown.passed
    assert any(line.startswith("FAILED") for line in shown.lines())
    if how == "failed check":
        assert "NO" in "\n".join(shown.lines())


def ended(status: str, **files: int) -> Report:
    return Report("e", status == "failed", {"status": status, "files": files})


@pytest.mark.parametrize(
    ("reports", "code", "said"),
    [
        ([ended("loaded", loaded=2, rejected=0)], 0, "loaded"),
        ([ended("loaded", loaded=2, rejected=1)], 3, "loaded, but 1 file rejected"),
        (
            [ended("loaded", rejected=2, unreadable=1, waiting=3)],
            3,
            "loaded, but 2 files rejected, 1 file unreadable, 3 files waiting",
        ),
        ([ended("failed", rejected=2)], 1, "failed, 2 files rejected"),
        ([ended("nothing to load", known=4)], 0, "nothing to load"),
        ([ended("loaded", loaded=1), ended("loaded", waiting=1)], 3, "loaded"),
        ([ended("loaded", rejected=1), ended("failed")], 1, "loaded, but 1 file rejected"),
    ],
)
def test_headline_and_exit_code_say_what_was_left_out(
    reports: list[Report], code: int, said: str
) -> None:
    assert exit_code(reports) == code
    assert headline(reports[0]) == said


@pytest.mark.parametrize(
    ("report", "code"),
    [(ended("loaded", loaded=1), 0), (ended("loaded", rejected=1), 3), (ended("failed"), 1)],
)
@pytest.mark.parametrize("command", ["start", "show", "upload", "demo"])
def test_each_command_that_loads_ends_with_the_code(
    command: str, report: Report, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = command_line.COMMANDS[command]
    for name, value in {
        "clients": lambda at: None,
        "execute": lambda *_: report,
        "upload": lambda *_: [report],
        "_arn": lambda *_: "arn:e",
        "_write": lambda _: None,
    }.items():
        if hasattr(module, name):
            monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(
        "local.client.stack.deployed", lambda _: SimpleNamespace(state_machine="m", data_bucket="b")
    )
    monkeypatch.setattr("local.client.stack.paused", lambda _: False)
    monkeypatch.setattr("local.client.target.isolated", lambda environ, _: dict(environ))
    monkeypatch.setattr("local.client.executions.follow", lambda *_: report)
    for step in (
        "commands.up.begin",
        "commands.up.wait",
        "client.sam.build",
        "client.sam.deploy",
        "commands.reset.reset",
        "commands.report.written",
        "client.made.refuse_others",
        "client.made.note",
    ):
        monkeypatch.setattr(f"local.{step}", lambda *_: None)
    monkeypatch.setattr(demo, "sweep", lambda *_: [])
    monkeypatch.setattr(
        demo, "summary", lambda _, reports, phases: Summary(TABLES, 0, reports, phases)
    )
    (tmp_path / "log_data").mkdir()
    (tmp_path / "log_data" / "a.json").write_text("{}")
    words = {"upload": [str(tmp_path)], "demo": ["--data", str(tmp_path)]}.get(command, [])
    assert command_line.main([command, *words]) == code


def test_help_says_what_the_exit_codes_mean() -> None:
    shown = run("--help").stdout
    for code in ("0 success", "1 failure", "2 wrong usage", "3 success, but"):
        assert code in shown


@pytest.mark.parametrize("words", [["start", "--nonsense"], ["nonsense"], []])
def test_a_wrong_command_line_is_exit_code_2(words: list[str]) -> None:
    assert run(*words).returncode == 2


def test_an_input_that_is_no_json_is_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local.commands.start.clients", lambda at: None)
    monkeypatch.setattr("local.client.stack.deployed", lambda _: None)
    monkeypatch.setattr("local.client.stack.paused", lambda _: False)
    monkeypatch.setattr("local.client.target.isolated", lambda environ, _: dict(environ))
    assert command_line.main(["start", "{no"]) == 2
    assert "The input is not JSON" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("counts", "code"), [({"loaded": 3}, 0), ({"rejected": 1}, 3), ({"not taken": 1}, 0)]
)
def test_status_says_datasets_first_then_what_runs(
    counts: dict[str, int],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    state = State(Dataset("log_data", "log_data/", (".json",)), counts)
    monkeypatch.setattr("local.client.files.states", lambda *_: [state])
    target = SimpleNamespace(local=True, stack="", suffix="")
    monkeypatch.setattr(status, "clients", lambda at: SimpleNamespace(target=target, parameters={}))
    monkeypatch.setattr("local.aws.processes.running", lambda _: 7)
    monkeypatch.setattr("local.aws.processes.port_of", lambda _: 4566)
    monkeypatch.setattr("local.client.stack.stack_status", lambda *_: "CREATE_COMPLETE")
    parts = Stack("s", "data", "work", "machine", "queue", "dead")
    monkeypatch.setattr("local.client.stack.deployed", lambda _: parts)
    monkeypatch.setattr("local.client.executions.arns", lambda *_: iter(["e"]))
    monkeypatch.setattr(status, "depth", lambda *_: 2)
    monkeypatch.setattr(status, "_tables", lambda _: "tables 4")
    page = Page([], None, datetime.now(UTC))
    monkeypatch.setattr("local.client.history.page", lambda *_, **__: page)
    assert status.run(argparse.Namespace(stack=None, json=False)) == code
    told = capsys.readouterr().out
    words = (
        "log_data ",
        "stack s",
        "last sweep: none",
        "loads: Needs a look: no sweep",
        "up on 127",
        "versions: ",
    )
    places = [told.index(word) for word in words]
    assert places == sorted(places)


def test_status_of_servers_that_are_stopped_says_where_they_were(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local.aws.processes.running", lambda _: None)
    monkeypatch.setattr(status, "ports", lambda: Ports(5000, 5001))
    assert status.run(argparse.Namespace(stack=None, json=False)) == 1
    told = capsys.readouterr().out
    assert "the local AWS: not running (it starts on 127.0.0.1:5000)" in told
    assert "to start it: make up" in told


# ---------------------------------------------------------------- datasets
CLICKS = """description: Clicks
files: clicks/*.jsonl
columns: {page: varchar(99)}
"""


@pytest.fixture
def clicks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with one contract, in place of this repository."""
    path = tmp_path / "sql" / "datasets" / "clicks" / "dataset.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(CLICKS)
    monkeypatch.setattr("local.commands.eject.ROOT", tmp_path)
    monkeypatch.setattr("local.commands.show.datasets", lambda: of_tree(build.ready(tmp_path)))
    return path


def test_show_prints_the_files_of_a_dataset(
    clicks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["show", "clicks"]) == 0
    shown = capsys.readouterr().out
    names = re.findall(r"^==> sql/datasets/clicks/(\S+) <==$", shown, re.M)
    assert names == sorted(names)
    assert {"copy.sql", "dataset.json", "jsonpaths.json", "tables.sql"} <= set(names)
    made = build.ready(clicks.parents[3]) / "datasets" / "clicks"
    for name in names:
        text = (made / name).read_text(encoding="utf-8")
        assert f"==> sql/datasets/clicks/{name} <==\n{text}" in shown


def test_eject_lists_what_it_has_written(clicks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["eject", "clicks"]) == 0
    *written, said = capsys.readouterr().out.splitlines()
    assert written[0] == "sql/datasets/clicks/dataset.yaml"
    assert all((clicks.parents[3] / name).is_file() for name in written)
    assert f"The other {len(written) - 1} files" in said
    assert command_line.main(["eject", "clicks"]) == 1
    assert "says sql: true already" in capsys.readouterr().err
