"""loader report: reads the history of a work bucket, writes the page, says the state in a line."""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.client.stack import Stack
from local.commands import report
from local.problem import Problem
from tests.page.reading import facts, packed, parsed, words
from tests.world import histories as made

NOW = datetime.now(UTC).replace(microsecond=0)
PARTS = Stack("local", "data", "work", "machine", "queue", "dead")


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-west-2")
        here: Any = {"LocationConstraint": "us-west-2"}
        client.create_bucket(Bucket="work", CreateBucketConfiguration=here)
        for load in (
            made.load(NOW - timedelta(minutes=5), number=1),
            made.load(NOW - timedelta(hours=5), [("orders/x.jsonl", "rejected")], number=2),
        ):
            key = f"history/loads/{load['started'][:10]}/{load['load_id']}.json.gz"
            client.put_object(Bucket="work", Key=key, Body=gzip.compress(json.dumps(load).encode()))
        document = json.dumps(made.sweep(NOW - timedelta(minutes=1)))
        client.put_object(Bucket="work", Key="history/sweep.json", Body=document.encode())
        yield client


@pytest.fixture
def given(s3: Any, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clients, whose stack's parameters a test may change."""
    target = SimpleNamespace(
        words=("--stack", "prod"), suffix=" --stack prod", stack="prod", local=True
    )
    clients = SimpleNamespace(s3=s3, target=target, parameters={"Paused": "false"})
    monkeypatch.setattr(report, "clients", lambda *_: clients)
    monkeypatch.setattr("local.client.stack.deployed", lambda *_: PARTS)
    return clients


def run(out: Path, load: str | None = None, *, show: bool = False, as_json: bool = False) -> int:
    return report.run(argparse.Namespace(load=load, open=show, out=out, json=as_json))


def test_it_writes_the_page_and_says_the_state(
    given: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "loads.html"
    assert run(out) == 3  # a file is left out
    said, url = capsys.readouterr().out.splitlines()
    assert said == "Needs a look: 1 file rejected."
    assert url == out.as_uri()
    root = parsed(out.read_text(encoding="utf-8"))
    assert packed(root, "ids") == [
        made.load_id(NOW - timedelta(minutes=5), 1),
        made.load_id(NOW - timedelta(hours=5), 2),
    ]
    assert facts(root)["Loads by itself"] == "yes"
    assert 'loader start \'{"keys": ["orders/x.jsonl"]}\' --stack prod' in words(root)


def test_a_script_gets_the_state(
    given: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "a.html", as_json=True) == 3
    assert json.loads(capsys.readouterr().out) == {
        "level": "amber",
        "concerns": ["1 file rejected"],
        "current_as_of": (NOW - timedelta(minutes=1)).isoformat(),
        "last_load": made.load_id(NOW - timedelta(minutes=5), 1),
        "loads": 2,
        "left_out": 1,
        "page": (tmp_path / "a.html").as_uri(),
    }


def test_it_opens_at_a_load(
    given: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    name = made.load_id(NOW - timedelta(hours=5), 2)
    run(tmp_path / "a.html", name, show=True)
    assert opened == [f"{(tmp_path / 'a.html').as_uri()}#load-{name}"]


def test_a_load_that_the_history_does_not_have(given: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"has no load 1-2-3\. It has 2 loads of 30 days"):
        run(tmp_path / "a.html", "1-2-3")


def test_a_place_that_cannot_be_written_to(given: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match="could not be written"):
        run(tmp_path / "file" / "a.html")


@pytest.mark.parametrize(
    ("parameters", "paused"),
    [
        ({"Paused": "true"}, True),
        ({"Paused": "false"}, False),
        ({"Paused": "auto"}, False),
        ({"Paused": "auto", "DataBucketName": "mine"}, True),
        ({}, False),
    ],
)
def test_a_pause_is_that_of_the_stack(
    given: SimpleNamespace, tmp_path: Path, parameters: dict[str, str], paused: bool
) -> None:
    """In a pause no sweep runs that could say so."""
    given.parameters = parameters
    run(tmp_path / "a.html")
    root = parsed((tmp_path / "a.html").read_text(encoding="utf-8"))
    assert facts(root)["Loads by itself"] == ("paused" if paused else "yes")
