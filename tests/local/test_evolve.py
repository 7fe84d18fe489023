"""evolve NAME: what it prints, what it writes, and when it asks."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local import __main__
from local.client import queries
from local.client.target import LOCAL_WAREHOUSE
from local.commands import evolve
from local.problem import Problem
from local.show.tables import Result

CONTRACT = "description: d\nfiles: orders/*.jsonl\ncolumns:\n  id: bigint\n"
SEEN = [
    ["vip", "vip: varchar(16)"],
    ["vip", "vip: boolean"],  # as the last load saw it
    ["customer.name", "customer_name: {path: customer.name, type: varchar(64)}"],
    ["tags[].name", "name: varchar(16)"],
]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A contract, and a ledger in which loads have seen keys."""
    monkeypatch.setattr(evolve, "ROOT", tmp_path)
    here = SimpleNamespace(warehouse=LOCAL_WAREHOUSE)
    monkeypatch.setattr(evolve, "clients", lambda at: here)
    asked: list[str] = []

    def run(clients: Any, sql: str) -> Result:
        asked.append(sql)
        return Result(
            ["path", "suggested"], [[path, line] for path, line in SEEN], has_rows=True, affected=4
        )

    monkeypatch.setattr(queries, "run", run)
    path = tmp_path / "sql" / "datasets" / "orders" / "dataset.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(CONTRACT)
    return path


def call(*words: str) -> int:
    arguments = __main__.parser().parse_args(["evolve", *words])
    try:
        return int(arguments.run(arguments))
    except Problem as problem:
        print(problem, file=sys.stderr)
        return problem.code


def test_the_lines_are_shown_and_written(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("orders", "--yes") == 0
    added = "  vip: boolean\n  customer_name: {path: customer.name, type: varchar(64)}\n"
    assert source.read_text() == CONTRACT + added
    said = capsys.readouterr().out
    assert "+  vip: boolean\n" in said
    assert "not added: tags[].name: there is no table of tags" in said
    assert "sql/datasets/orders/dataset.yaml has 2 columns more" in said
    assert call("orders") == 0
    assert "nothing to add" in capsys.readouterr().out


def test_only_the_keys_that_are_named(source: Path) -> None:
    assert call("orders", "vip", "--yes") == 0
    assert source.read_text() == CONTRACT + "  vip: boolean\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("orders", "vap", "--yes"), "No load has seen the key vap in orders; seen are: vip"),
        (("order", "--yes"), "There is no sql/datasets/order/dataset.yaml"),
        (("orders",), "use --yes"),  # no terminal to ask on
    ],
)
def test_what_is_refused_changes_nothing(
    source: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert call(*words) == 1
    assert said in capsys.readouterr().err
    assert source.read_text() == CONTRACT


@pytest.mark.parametrize(("answer", "added"), [("y", True), ("", False), ("no", False)])
def test_it_asks_on_a_terminal(
    source: Path, monkeypatch: pytest.MonkeyPatch, answer: str, added: bool
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda asked: answer)
    assert call("orders", "vip") == 0
    assert ("vip" in source.read_text()) == added


def test_by_sample_files(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As loader add understands them: all rows, not the first ones."""
    source.write_text(
        CONTRACT + "tables:\n  order_tags: {each: tags, columns: {tag: varchar(8)}}\n"
    )
    sample = tmp_path / "a.jsonl"
    records = [
        {"id": n, "placed": f"2026-11-{n % 28 + 1:02}", "sum": {"net": n + 0.25}, "tags": [{"tag": "a", "by": "me"}]}
        for n in range(50)
    ]  # fmt: skip
    sample.write_text("\n".join(map(json.dumps, records)))
    assert call("orders", "--from", str(sample), "--yes") == 0
    text = source.read_text()
    said = capsys.readouterr().out
    assert "  placed: date\n" in text
    assert "path: sum.net, type: " in text
    assert "tag: varchar(8), by: varchar(" in text
    assert "id: bigint\n" in text
    assert "takes it already" not in said
    assert call("orders", "--from", str(tmp_path / "none.jsonl")) == 1
