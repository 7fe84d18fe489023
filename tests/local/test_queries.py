"""SQL through the Data API: typed values, pages, errors in the database's own words."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from local.client import queries
from local.client.clients import Clients
from local.client.target import LOCAL_WAREHOUSE


class DataApi:
    """Answers like the Data API; the statement is still running the first time it is asked."""

    def __init__(self, pages: list[dict[str, Any]], **end: Any):
        self.pages = pages
        self.end = {"Status": "FINISHED", "SubStatements": [{}, {"Id": "s:2"}], **end}
        self.sent: dict[str, Any] = {}
        self.looks = 0

    def batch_execute_statement(self, **request: Any) -> dict[str, Any]:
        self.sent = request
        return {"Id": "s"}

    def describe_statement(self, **request: Any) -> dict[str, Any]:
        self.looks += 1
        return {"Status": "STARTED"} if self.looks == 1 else self.end

    def get_paginator(self, name: str) -> Any:
        assert name == "get_statement_result"
        return SimpleNamespace(paginate=lambda Id: self.pages if Id == "s:2" else [])


def clients(api: Any) -> Clients:
    return cast(Clients, SimpleNamespace(redshift=api, warehouse=LOCAL_WAREHOUSE))


def test_rows_of_all_pages_with_their_types() -> None:
    names = [{"name": "a"}, {"name": "b"}]
    api = DataApi(
        [
            {"ColumnMetadata": names, "Records": [[{"stringValue": "x"}, {"longValue": 1}]]},
            {"ColumnMetadata": names, "Records": [[{"isNull": True}, {"booleanValue": False}]]},
        ],
        SubStatements=[{}, {"Id": "s:2", "HasResultSet": True}],
    )
    result = queries.run(clients(api), "SELECT a, b FROM t;\n")
    assert result.columns == ["a", "b"]
    assert result.rows == [["x", 1], [None, False]]
    assert api.sent["Sqls"] == ["SET search_path TO sparkify, public", "SELECT a, b FROM t"]
    assert api.sent["WaitTimeSeconds"] == 20
    assert api.looks == 2


def test_a_statement_without_rows_says_how_many_it_changed() -> None:
    api = DataApi([], SubStatements=[{}, {"Id": "s:2", "HasResultSet": False, "ResultRows": 7}])
    result = queries.run(clients(api), "DELETE FROM t")
    assert (result.has_rows, result.affected) == (False, 7)


def test_an_error_is_the_databases_own() -> None:
    api = DataApi([], Status="FAILED", Error='ERROR: relation "t" does not exist')
    with pytest.raises(queries.SqlError, match='relation "t" does not exist'):
        queries.run(clients(api), "SELECT * FROM t")


def test_a_refused_request_is_an_error_of_the_sql_too() -> None:
    def refuse(**request: Any) -> None:
        answer: Any = {"Error": {"Code": "ValidationException", "Message": "too long"}}
        raise ClientError(answer, "BatchExecuteStatement")

    with pytest.raises(queries.SqlError, match="too long"):
        queries.run(clients(SimpleNamespace(batch_execute_statement=refuse)), "SELECT 1")


def test_an_error_is_of_the_users_one_statement_and_not_of_our_second() -> None:
    said = 'Query #2 failed with ERROR: column "nothing" does not exist'
    api = DataApi([], Status="FAILED", Error=said)
    with pytest.raises(queries.SqlError, match=r'^ERROR: column "nothing" does not exist$'):
        queries.run(clients(api), "SELECT nothing")
