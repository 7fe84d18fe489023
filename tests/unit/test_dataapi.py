"""The Data API: what is sent, how answers are read, tokens and limits."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loader import dataapi, sql
from loader.dataapi import (
    DataApi,
    Statement,
    StatementFailed,
    StatementLost,
    SubStatement,
    client_token,
    failure,
)
from loader.settings import settings

from tests.unit.fakes import FakeDataApi, Reply, failed

LOAD = "20261123-203011-0a1b2c3d"


@pytest.fixture
def api(data_api: FakeDataApi) -> DataApi:
    return DataApi(settings())


@given(
    st.sampled_from(["plan", "stage", "find", "publish", "leave", "migrate12"]),
    st.text("012-", max_size=60),
    st.integers(0, 99),
)
def test_a_token_fits_and_is_the_same_each_time(step: str, batch: str, attempt: int) -> None:
    token = client_token(LOAD, step, batch, attempt)
    assert 1 <= len(token) <= 64
    assert token == client_token(LOAD, step, batch, attempt)


def test_no_two_attempts_share_a_token() -> None:
    batches = ["", "0", "1", "0.1", "0.2", *(f"0.{n}" for n in range(10, 40))]
    tokens = [
        client_token(load, step, batch, attempt)
        for load in (LOAD, LOAD[:-1] + "e")
        for step in ("plan", "stage", "publish")
        for batch in batches
        for attempt in range(3)
    ]
    assert len(set(tokens)) == len(tokens)


@pytest.mark.parametrize(
    ("change", "target"),
    [
        ({}, {"WorkgroupName": "local"}),
        ({"secret_arn": "arn:s"}, {"WorkgroupName": "local", "SecretArn": "arn:s"}),
        ({"workgroup": None, "cluster": "etl"}, {"ClusterIdentifier": "etl"}),
        (
            {"workgroup": None, "cluster": "etl", "db_user": "loader"},
            {"ClusterIdentifier": "etl", "DbUser": "loader"},
        ),
        (
            {"workgroup": None, "cluster": "etl", "db_user": "loader", "secret_arn": "arn:s"},
            {"ClusterIdentifier": "etl", "SecretArn": "arn:s"},
        ),
    ],
)
def test_which_warehouse(
    data_api: FakeDataApi, change: dict[str, Any], target: dict[str, str]
) -> None:
    DataApi(replace(settings(), **change)).submit(["SELECT 1"], token="t", name="n")
    assert data_api.submits == [
        {
            "Sqls": ["SELECT 1"],
            "ClientToken": "t",
            "StatementName": "n",
            "ExecutionMode": "TRANSACTION",
            "Database": "dev",
            **target,
        }
    ]


def test_statements_go_as_they_are(api: DataApi, data_api: FakeDataApi) -> None:
    """Plain text without parameters, whatever kind of text the templates make."""
    texts = ["SELECT 'it''s :b'", sql.Rendered("SELECT '12:30'", "x.sql")]
    api.submit(texts, token="t", name="n", autocommit=True, wait=7)
    request = data_api.submits[0]
    assert request["Sqls"] == ["SELECT 'it''s :b'", "SELECT '12:30'"]
    assert {type(text) for text in request["Sqls"]} == {str}
    assert "Parameters" not in request
    assert (request["ExecutionMode"], request["WaitTimeSeconds"]) == ("AUTO_COMMIT", 7)


@pytest.mark.parametrize(
    ("statements", "says"),
    [(["SELECT 1"] * 41, "41 statements"), (["SELECT '" + "é" * 50_000 + "'"], "100000 bytes")],
)
def test_over_the_limits_nothing_is_sent(
    api: DataApi, data_api: FakeDataApi, statements: list[str], says: str
) -> None:
    with pytest.raises(ValueError, match=f"publish.*{says}"):
        api.submit(statements, token="t", name="publish")
    assert data_api.submits == []


def test_the_limits_themselves_are_fine(api: DataApi, data_api: FakeDataApi) -> None:
    api.submit(["SELECT 1"] * 39 + ["x" * 100_000], token="t", name="n")
    assert len(data_api.statements) == 40


def test_describe_tells_which_statement_failed(api: DataApi, data_api: FakeDataApi) -> None:
    data_api.replies = [failed(2, "ERROR: no such thing", query_id=99)]
    statement = api.submit(["SELECT 1", "COPY t", "SELECT 3"], token="t", name="n")
    assert statement.status == "FAILED"
    assert statement.parts == ()
    described = api.describe(statement.id)
    assert [part.status for part in described.parts] == ["FINISHED", "FAILED", "ABORTED"]
    assert described.failed_part == SubStatement(
        f"{statement.id}:2", "FAILED", "ERROR: no such thing", -1, 99, "COPY t"
    )
    assert failure(described) == "ERROR: no such thing"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (Statement("i", "FAILED", "whole"), "whole"),
        (Statement("i", "ABORTED"), "the statement ended ABORTED"),
        (
            Statement("i", "FAILED", "whole", -1, (SubStatement("i:1", "FAILED", "", 0, 1, ""),)),
            "whole",
        ),
        (
            # What the API says of the statements that did not run is not documented.
            Statement(
                "i",
                "FAILED",
                "whole",
                -1,
                (
                    SubStatement("i:1", "ABORTED", "rolled back", 0, 1, ""),
                    SubStatement("i:2", "FAILED", "the cause", 0, 1, ""),
                ),
            ),
            "the cause",
        ),
    ],
)
def test_failure_in_redshifts_words(statement: Statement, words: str) -> None:
    assert failure(statement) == words


def test_a_lost_statement(api: DataApi, data_api: FakeDataApi) -> None:
    data_api.replies = [Reply(lost=True)]
    statement = api.submit(["SELECT 1"], token="t", name="n")
    with pytest.raises(StatementLost, match=statement.id):
        api.describe(statement.id)


def test_too_many_waiters_means_a_look_without_waiting(
    api: DataApi, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = api.submit(["SELECT 1"], token="t", name="n")
    describe = data_api.describe_statement
    asked: list[dict[str, Any]] = []

    def busy(**request: Any) -> dict[str, Any]:
        asked.append(request)
        if "WaitTimeSeconds" in request:
            raise data_api.error("ActiveWaitingRequestsExceededException", "DescribeStatement")
        return describe(**request)

    monkeypatch.setattr(data_api, "describe_statement", busy)
    assert api.describe(statement.id, 20).finished
    assert asked == [{"Id": statement.id, "WaitTimeSeconds": 20}, {"Id": statement.id}]


def test_rows_of_all_pages_as_typed_values(api: DataApi, data_api: FakeDataApi) -> None:
    rows = [("a", 1, None), ("b", 2.5, True), ("c", -3, False), ("", 0, None), ("é'", 7, None)]
    data_api.replies = [Reply(rows={2: rows})]
    statement = api.submit(["SELECT 1", "SELECT 2"], token="t", name="n")
    assert list(api.rows(f"{statement.id}:2")) == rows
    assert list(api.rows(f"{statement.id}:1")) == []


def test_a_value_of_an_unexpected_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="blobValue"):
        dataapi._value({"blobValue": b"x"})


def test_run_waits_to_the_end(api: DataApi, data_api: FakeDataApi) -> None:
    data_api.replies = [Reply(running=3)]
    assert api.run(["SELECT 1"], token="t", name="n").finished
    assert len(data_api.looks) == 3


def test_run_raises_redshifts_words(api: DataApi, data_api: FakeDataApi) -> None:
    data_api.replies = [failed(1, 'relation "t" does not exist', running=1)]
    with pytest.raises(StatementFailed, match=r'^migrate: relation "t" does not exist$'):
        api.run(["SELECT 1"], token="t", name="migrate")


def test_run_cancels_what_takes_too_long(
    data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_api.replies = [Reply(running=9)]
    ticks = iter(range(0, 10_000, 400))
    monkeypatch.setattr(dataapi, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    with pytest.raises(TimeoutError, match="took over 600 seconds"):
        DataApi(settings()).run(["SELECT 1"], token="t", name="n")
    assert len(data_api.cancelled) == 1


def test_run_takes_a_limit_of_its_own(
    data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_api.replies = [Reply(running=9)]
    ticks = iter(range(0, 10_000, 25))
    monkeypatch.setattr(dataapi, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    with pytest.raises(TimeoutError, match="took over 30 seconds"):
        DataApi(settings()).run(["SELECT 1"], token="t", name="n", limit=30)
    assert len(data_api.cancelled) == 1


def test_run_takes_what_finished_although_it_was_cancelled(
    data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_api.replies = [Reply(running=9, ends_anyway=True)]
    ticks = iter(range(0, 10_000, 400))
    monkeypatch.setattr(dataapi, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    assert DataApi(settings()).run(["SELECT 1"], token="t", name="n").finished
    assert (len(data_api.cancelled), len(data_api.submits)) == (1, 1)


def test_the_statements_of_a_load_whatever_became_of_them(
    api: DataApi, data_api: FakeDataApi
) -> None:
    """By the beginning of their names, and all pages; unless it is asked for all, the Data API lists what finished."""
    replies = [Reply(running=1), Reply(), failed(1, "no"), Reply("ABORTED"), Reply(running=2)]
    mine = [data_api.add(f"{LOAD} stage {n}.0", reply) for n, reply in enumerate(replies)]
    data_api.add(f"{LOAD[:-1]}e stage 0.0", Reply(running=1))
    found = list(api.list_for_load(LOAD))
    assert [statement.id for statement in found] == mine[::-1]
    assert [statement.running for statement in found] == [True, False, False, False, True]
    assert len(data_api.lists) == 3
    assert list(api.list_for_load("20200101-000000-00000000")) == []


def test_cancelling_what_has_ended_is_no_error(api: DataApi, data_api: FakeDataApi) -> None:
    statement = api.submit(["SELECT 1"], token="t", name="n")
    api.cancel(statement.id)
    assert data_api.cancelled == [statement.id]
