"""Making and upgrading the tables, also when two loads meet there."""

from pathlib import Path
from typing import Any

import migrate
import pytest
from loader import sql
from loader.dataapi import StatementFailed
from loader.migrations import migrations

from tests.unit.fakes import FakeDataApi, Reply, failed
from tests.unit.loads import call

MISSING = failed(1, 'ERROR: relation "sparkify.schema_version" does not exist')


def version(number: int | None) -> Reply:
    return Reply(rows={1: [(number,)]})


SCHEMA_THERE, SCHEMA_MISSING = Reply(rows={1: [(1,)]}), Reply(rows={1: [(0,)]})


@pytest.fixture
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Three migrations instead of the product's own."""
    found = {}
    for number in (1, 2, 3):
        (tmp_path / f"{number}.sql").write_text(f"CREATE TABLE ${{schema}}.t{number} (a INT);")
        found[number] = f"{number}.sql"
    for name in ("version", "schema_exists", "create_schema"):
        text = sql.read(f"migrations/{name}.sql")
        (tmp_path / "migrations").mkdir(exist_ok=True)
        (tmp_path / "migrations" / f"{name}.sql").write_text(text)
    monkeypatch.setattr(sql, "ROOT", tmp_path)
    monkeypatch.setattr(migrate, "migrations", lambda: found)
    monkeypatch.setattr(migrate, "latest_version", lambda: 3)
    sql.read.cache_clear()
    yield
    sql.read.cache_clear()


def made(data_api: FakeDataApi) -> list[str]:
    return [text for text in data_api.statements if text.startswith("CREATE")]


@pytest.mark.parametrize(
    ("replies", "statements"),
    [
        ([MISSING, SCHEMA_MISSING], ["SCHEMA sparkify", "t1", "t2", "t3"]),
        ([MISSING, SCHEMA_THERE], ["t1", "t2", "t3"]),
        ([version(None), SCHEMA_THERE], ["t1", "t2", "t3"]),
        ([version(1)], ["t2", "t3"]),
        ([version(3)], []),
    ],
)
def test_what_is_missing_is_made(
    three: None, data_api: FakeDataApi, replies: list[Reply], statements: list[str]
) -> None:
    data_api.replies = list(replies)
    answer = call(migrate.handler)
    assert answer["outcome"] == "again"
    assert len(made(data_api)) == len(statements)
    assert all(word in text for word, text in zip(statements, made(data_api), strict=True))
    assert {request["ExecutionMode"] for request in data_api.submits} == {"TRANSACTION"}


def test_the_first_version_is_one_transaction(data_api: FakeDataApi) -> None:
    data_api.replies = [MISSING, SCHEMA_THERE]
    call(migrate.handler)
    assert len(data_api.submits[2]["Sqls"]) == len(
        sql.render(migrations()[1], {"schema": "sparkify"})
    )


def test_a_batch_goes_through_unchanged(data_api: FakeDataApi) -> None:
    data_api.replies = [version(1)]
    state = {"batch": "0.1", "attempt": 3, "todo": ["0.2"], "statement": {"id": "x"}}
    answer = call(migrate.handler, state)
    answer.pop("spent")
    assert answer == {**state, "statement": None, "outcome": "again"}


def test_the_second_of_two_loads_finds_the_work_done(three: None, data_api: FakeDataApi) -> None:
    conflict = failed(1, 'ERROR: relation "t2" already exists')
    data_api.replies = [version(1), conflict, version(2), Reply()]
    assert call(migrate.handler)["outcome"] == "again"
    assert [text.split()[2] for text in made(data_api)] == ["sparkify.t2", "sparkify.t3"]


def test_a_schema_that_another_load_made_meanwhile(three: None, data_api: FakeDataApi) -> None:
    taken = failed(1, 'ERROR: schema "sparkify" already exists')
    data_api.replies = [MISSING, SCHEMA_MISSING, taken, SCHEMA_THERE]
    assert call(migrate.handler)["outcome"] == "again"
    assert len(made(data_api)) == 4


@pytest.mark.parametrize(
    ("replies", "says"),
    [
        ([failed(1, "ERROR: permission denied for schema sparkify")], "permission denied"),
        ([version(1), failed(1, "ERROR: disk full"), version(1)], "disk full"),
        ([MISSING, SCHEMA_MISSING, failed(1, "ERROR: denied"), SCHEMA_MISSING], "denied"),
        ([version(4)], "version 4, this loader knows 3: deploy the newer"),
    ],
)
def test_what_fails(three: None, data_api: FakeDataApi, replies: list[Reply], says: str) -> None:
    data_api.replies = list(replies)
    with pytest.raises(StatementFailed, match=says):
        call(migrate.handler)


def test_each_attempt_and_each_batch_has_tokens_of_its_own(
    three: None, data_api: FakeDataApi
) -> None:
    for state in (None, {"batch": "0", "attempt": 1}, {"batch": "0", "attempt": 2}, {"batch": "1"}):
        data_api.replies = [version(1)]
        call(migrate.handler, state)
    tokens = [request["ClientToken"] for request in data_api.submits]
    assert len(set(tokens)) == len(tokens) == 12


def test_the_same_call_again_runs_nothing_twice(three: None, data_api: FakeDataApi) -> None:
    data_api.replies = [version(1)]
    call(migrate.handler)
    before = {request["ClientToken"] for request in data_api.submits}
    call(migrate.handler)
    assert {request["ClientToken"] for request in data_api.submits} == before
