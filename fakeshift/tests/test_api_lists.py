"""ListStatements, ListDatabases, ListSchemas, ListTables, DescribeTable; limits; CSV.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListTables.html
https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling.html
"""

from __future__ import annotations

import csv
import io
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Start
from warehouse import DATABASE, WORKGROUP, Warehouse

from fakeshift import LocalRedshift

TARGET = {"Database": DATABASE, "WorkgroupName": WORKGROUP}


# -- the catalogue -----------------------------------------------------------------------------


@pytest.fixture
def tables(warehouse: Warehouse) -> Iterator[Warehouse]:
    warehouse.batch("DROP SCHEMA IF EXISTS t_x CASCADE", "CREATE SCHEMA t_x")
    warehouse.batch(
        "CREATE TABLE t.plays (id BIGINT IDENTITY(1,1) PRIMARY KEY, name VARCHAR(20) NOT NULL "
        "DEFAULT 'x', price DECIMAL(8,2), at TIMESTAMP, code CHAR(3), good BOOLEAN, ratio FLOAT)",
        "CREATE TABLE t.play_s (a INT)",
        "CREATE TABLE t_x.plays (a INT)",
        "CREATE VIEW t.seen AS SELECT id FROM t.plays",
    )
    yield warehouse
    warehouse.run("DROP SCHEMA t_x CASCADE")


def named(warehouse: Warehouse, **patterns: str) -> list[tuple[str, str, str]]:
    pages = warehouse.client.get_paginator("list_tables").paginate(
        **TARGET, **patterns, PaginationConfig={"PageSize": 7}
    )
    return [(t["schema"], t["name"], t["type"]) for page in pages for t in page["Tables"]]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ({"SchemaPattern": "t", "TablePattern": "plays"}, ["t.plays"]),
        ({"SchemaPattern": "t", "TablePattern": "play_"}, ["t.plays"]),
        ({"SchemaPattern": "t", "TablePattern": "play%"}, ["t.play_s", "t.plays"]),
        ({"SchemaPattern": "t", "TablePattern": "play\\_%"}, ["t.play_s"]),
        ({"SchemaPattern": "t%", "TablePattern": "plays"}, ["t.plays", "t_x.plays"]),
        ({"SchemaPattern": "t", "TablePattern": "PLAYS"}, []),
        ({"SchemaPattern": "t"}, ["t.play_s", "t.plays", "t.seen"]),
        ({"SchemaPattern": "t", "TablePattern": "play"}, []),
        ({"SchemaPattern": "nowhere"}, []),
    ],
)
def test_patterns_are_those_of_like(
    tables: Warehouse, patterns: dict[str, str], expected: list[str]
) -> None:
    assert [f"{schema}.{name}" for schema, name, _ in named(tables, **patterns)] == expected


def test_all_tables_with_their_types(tables: Warehouse) -> None:
    """Neither pattern: all tables in the database, those of the system too."""
    found = named(tables)
    assert {("t", "plays", "TABLE"), ("t", "seen", "VIEW"),
            ("pg_catalog", "pg_table_def", "SYSTEM TABLE"),
            ("pg_catalog", "svv_tables", "SYSTEM VIEW"),
            ("information_schema", "columns", "SYSTEM VIEW")} <= set(found)  # fmt: skip
    assert found == sorted(found, key=lambda t: (t[2], t[0], t[1]))
    assert "stl_query" not in [name for _, name, _ in found]


def test_schemas_and_databases(tables: Warehouse) -> None:
    client = tables.client
    assert client.list_databases(**TARGET)["Databases"] == ["dev"]
    found = client.list_schemas(**TARGET)["Schemas"]
    assert found == sorted(found)
    assert {"information_schema", "pg_catalog", "pg_internal", "public", "t", "t_x"} <= set(found)
    assert client.list_schemas(**TARGET, SchemaPattern="t__")["Schemas"] == ["t_x"]
    assert client.list_schemas(**TARGET, SchemaPattern="%catalog")["Schemas"] == ["pg_catalog"]


def test_only_what_the_user_may_see(start: Start) -> None:
    url = start(admins=frozenset({"ADMIN"})).url
    admin, user = Warehouse(url, "ADMIN"), Warehouse(url, "AKIAUSER")
    user.run("SELECT 1")
    admin.batch("CREATE TABLE mine (a INT)", "CREATE TABLE ours (a INT)",
                'GRANT SELECT ON ours TO "IAM:AKIAUSER"')  # fmt: skip
    assert [n for _, n, _ in named(admin, SchemaPattern="public")] == ["mine", "ours"]
    assert [n for _, n, _ in named(user, SchemaPattern="public")] == ["ours"]
    assert user.client.describe_table(**TARGET, Table="mine")["ColumnList"] == []


def test_describe_table(tables: Warehouse) -> None:
    answer = tables.client.describe_table(**TARGET, Schema="t", Table="plays")
    assert answer["TableName"] == "plays"
    shown = [
        (c["name"], c["typeName"], c["length"], c["scale"], c["nullable"], c.get("columnDefault"))
        for c in answer["ColumnList"]
    ]
    assert [row[:5] for row in shown] == [
        ("id", "int8", 19, 0, 0),
        ("name", "varchar", 20, 0, 0),
        ("price", "numeric", 8, 2, 1),
        ("at", "timestamp", 29, 6, 1),
        ("code", "bpchar", 3, 0, 1),
        ("good", "bool", 1, 0, 1),
        ("ratio", "float8", 17, 17, 1),
    ]
    assert shown[0][5].startswith('"identity"(')
    assert shown[1][5] == "'x'"
    assert all(c["schemaName"] == "t" and c["tableName"] == "plays" for c in answer["ColumnList"])


def test_describe_table_by_less(tables: Warehouse) -> None:
    """Without a schema the table of all schemas, without a table all tables, in pages of columns."""
    client = tables.client
    both = client.describe_table(**TARGET, Table="plays")["ColumnList"]
    assert {c["schemaName"] for c in both} == {"t", "t_x"}
    pages = client.get_paginator("describe_table").paginate(
        **TARGET, Schema="t", PaginationConfig={"PageSize": 3}
    )
    columns = [(c["tableName"], c["name"]) for page in pages for c in page["ColumnList"]]
    assert len(columns) == len(set(columns)) == 9
    assert {name for name, _ in columns} == {"plays", "play_s", "seen"}
    assert client.describe_table(**TARGET, Schema="t", Table="nothing")["ColumnList"] == []
    system = client.describe_table(**TARGET, Table="sys_load_error_detail")["ColumnList"]
    assert [c["name"] for c in system][:3] == ["user_id", "query_id", "transaction_id"]
    assert {c["schemaName"] for c in system} == {"pg_catalog"}


def test_a_token_belongs_to_its_operation(tables: Warehouse) -> None:
    token = tables.client.list_tables(**TARGET, MaxResults=1)["NextToken"]
    for call in (tables.client.list_schemas, tables.client.describe_table):
        with pytest.raises(ClientError, match="NextToken is not valid"):
            call(**TARGET, NextToken=token)


def test_a_token_belongs_to_its_request(tables: Warehouse) -> None:
    """With another filter it would skip what the first one did not have."""
    given = {**TARGET, "SchemaPattern": "t"}
    token = tables.client.list_tables(**given, MaxResults=1)["NextToken"]
    for other in ({}, {"TablePattern": "%"}, {"SchemaPattern": "%"}):
        with pytest.raises(ClientError, match="NextToken is not valid"):
            tables.client.list_tables(**{**TARGET, **other}, NextToken=token)
    assert len(tables.client.list_tables(**given, MaxResults=2, NextToken=token)["Tables"]) == 2


def test_a_page_begins_behind_the_one_before(tables: Warehouse) -> None:
    """Regardless of statements that came and went in between."""
    client, given = tables.client, {**TARGET, "SchemaPattern": "t", "MaxResults": 2}
    page = client.list_tables(**given)
    assert [t["name"] for t in page["Tables"]] == ["play_s", "plays"]
    tables.run("CREATE TABLE t.another (a INT)")
    rest = client.list_tables(**given, NextToken=page["NextToken"])
    assert [t["name"] for t in rest["Tables"]] == ["seen"]

    for number in range(3):
        tables.wait(tables.submit("SELECT 1", StatementName=f"page-{number}"))
    given = {"StatementName": "page-", "MaxResults": 2}
    page = client.list_statements(**given)
    assert [s["StatementName"] for s in page["Statements"]] == ["page-2", "page-1"]
    tables.wait(tables.submit("SELECT 1", StatementName="page-new"))
    rest = client.list_statements(**given, NextToken=page["NextToken"])
    assert [s["StatementName"] for s in rest["Statements"]] == ["page-0"]


# -- statements ----------------------------------------------------------------------------------


def test_list_statements_filters(start: Start) -> None:
    server = start(principals={"ASIA1": "IAMR:x", "ASIA2": "IAMR:x"})
    warehouse = Warehouse(server.url, "ASIA1")
    client = warehouse.client
    done = warehouse.submit("SELECT 1", StatementName="load-1")
    failed = warehouse.submit("SELECT nothing", StatementName="load-2")
    batch = warehouse.submit_batch("SELECT 1", "SELECT 2")
    on_cluster = client.execute_statement(
        Sql="SELECT 1", ClusterIdentifier="one", Database=DATABASE, StatementName="load-1"
    )["Id"]
    for statement in (done, failed, batch, on_cluster):
        warehouse.wait(statement)

    def listed(who: Warehouse = warehouse, **filters: Any) -> list[str]:
        return [s["Id"] for s in who.client.list_statements(**filters)["Statements"]]

    assert listed() == [on_cluster, batch, done], "by default only finished statements are shown"
    assert listed(Status="ALL") == [on_cluster, batch, failed, done]
    assert listed(Status="FAILED") == [failed]
    assert listed(Status="ALL", StatementName="load-") == [on_cluster, failed, done]
    assert listed(StatementName="oad-1") == []
    assert listed(ClusterIdentifier="one") == [on_cluster]
    assert listed(WorkgroupName=WORKGROUP, Database=DATABASE) == [batch, done]
    assert listed(Database="other") == []
    other = Warehouse(server.url, "ASIA2")
    assert len(listed(other)) == 3
    assert listed(other, RoleLevel=False) == []
    with pytest.raises(ClientError, match="Only one of ClusterIdentifier or WorkgroupName"):
        listed(ClusterIdentifier="one", WorkgroupName=WORKGROUP)
    shown = client.list_statements(Status="ALL", MaxResults=2)["Statements"]
    assert [s["IsBatchStatement"] for s in shown] == [False, True]
    assert shown[1]["QueryStrings"] == ["SELECT 1", "SELECT 2"]
    assert "QueryStrings" not in shown[0]


def test_a_statement_is_submitted_picked_started_ended(start: Start) -> None:
    """The life cycle, in its order; durations in nanoseconds, of a batch the sum."""
    warehouse = Warehouse(start(faults=True).url)
    warehouse.local("faults", sql="SELECT 7", kind="delay", seconds=0.2)
    statement = warehouse.submit_batch("SELECT 7", "SELECT 8")
    order = ["SUBMITTED", "PICKED", "STARTED", "FINISHED"]
    seen: list[str] = []
    while not seen or seen[-1] != "FINISHED":
        status = warehouse.describe(statement)["Status"]
        if not seen or seen[-1] != status:
            seen.append(status)
        time.sleep(0.005)
    assert seen == [status for status in order if status in seen]
    assert "STARTED" in seen
    shown = warehouse.describe(statement)
    slow, quick = shown["SubStatements"]
    assert 200_000_000 < slow["Duration"] < 5_000_000_000
    assert shown["Duration"] == slow["Duration"] + quick["Duration"]
    assert shown["RedshiftPid"] > 0
    assert shown["RedshiftQueryId"] == 0


def test_result_sizes_are_those_of_the_protocol(warehouse: Warehouse) -> None:
    """The example of .../mgmt/data-api-calling-cli-describe-statement.html: 11, 11 and 22 bytes."""
    shown = warehouse.batch("select 1;", "select 2;")
    assert [part["ResultSize"] for part in shown["SubStatements"]] == [11, 11]
    assert (shown["ResultSize"], shown["ResultRows"]) == (22, 2)


# -- limits ----------------------------------------------------------------------------------------


def test_a_row_of_64_kilobytes(warehouse: Warehouse) -> None:
    """.../mgmt/data-api-troubleshooting.html"""
    assert len(warehouse.value("SELECT REPEAT('x', 65500)")) == 65500
    error = warehouse.error("SELECT REPEAT('x', 40000) AS a, REPEAT('y', 40000) AS b")
    assert error.startswith("ERROR: Packet for query is too large")


def test_a_result_that_is_too_large(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """.../mgmt/data-api-troubleshooting.html: 500 MB; less here, to reach it"""
    monkeypatch.setattr("fakeshift.engine.sink.MAX_RESULT_BYTES", 100_000)
    many = " UNION ALL ".join(["SELECT REPEAT('x', 30000)"] * 4)
    assert warehouse.error(many).startswith("ERROR: Database response exceeded size limit")
    assert len(warehouse.rows(" UNION ALL ".join(["SELECT REPEAT('x', 30000)"] * 3))) == 3


def test_a_statement_of_100_kilobytes(warehouse: Warehouse) -> None:
    """.../mgmt/data-api.html, considerations: 100 KB each, in bytes"""

    def padded(size: int, mark: str = "x") -> str:
        return f"SELECT 1 -- {mark * ((size - 12) // len(mark.encode()))}"

    assert warehouse.value(padded(100_000)) == 1
    for sql in (padded(100_001), padded(100_002, "ä")):
        with pytest.raises(ClientError, match="exceeds the maximum size of 100000 bytes"):
            warehouse.submit(sql)
        with pytest.raises(ClientError, match="exceeds the maximum size of 100000 bytes"):
            warehouse.submit_batch("SELECT 1", sql)


def test_forty_statements(warehouse: Warehouse) -> None:
    shown = warehouse.batch(*["SELECT 1"] * 40)
    assert len(shown["SubStatements"]) == 40
    assert shown["SubStatements"][39]["Id"] == f"{shown['Id']}:40"
    assert warehouse.result(shown["SubStatements"][39]).rows == [[1]]


def test_results_are_gone_after_24_hours(
    module_server: LocalRedshift, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = warehouse.wait(warehouse.submit("SELECT 1"))
    monkeypatch.setattr("fakeshift.statements.store.KEEP_SECONDS", -1)
    for call in (warehouse.client.get_statement_result, warehouse.client.describe_statement):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            call(Id=shown["Id"])
    module_server.store.forget_old()
    monkeypatch.undo()
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        warehouse.client.get_statement_result(Id=shown["Id"])


# -- CSV -------------------------------------------------------------------------------------------


def fetched(warehouse: Warehouse, sql: str) -> tuple[list[list[str]], list[str]]:
    shown = warehouse.wait(warehouse.submit(sql, ResultFormat="CSV"))
    pages = warehouse.client.get_paginator("get_statement_result_v2").paginate(Id=shown["Id"])
    text, types = "", []
    for page in pages:
        assert page["ResultFormat"] == "CSV"
        types = [column["typeName"] for column in page["ColumnMetadata"]]
        text += "".join(record["CSVRecords"] for record in page["Records"])
    return list(csv.reader(io.StringIO(text, newline=""))), types


def test_csv(warehouse: Warehouse) -> None:
    """https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_GetStatementResultV2.html"""
    rows, types = fetched(
        warehouse,
        "SELECT 1 AS a, 'x,\"y\"' AS b, NULL AS c, true AS d, 1.50::decimal(5,2) AS e, "
        "'2018-11-01 01:02:03'::timestamp AS f, 'line 1\nline 2' AS g",
    )
    assert rows[0] == ["a", "b", "c", "d", "e", "f", "g"]
    assert rows[1] == ["1", 'x,"y"', "", "t", "1.50", "2018-11-01 01:02:03", "line 1\nline 2"]
    assert types[:2] == ["int4", "varchar"]


def test_csv_in_pages(warehouse: Warehouse) -> None:
    digits = " UNION ALL ".join(f"SELECT {n} AS n" for n in range(10))
    rows, _ = fetched(
        warehouse,
        f"WITH d AS ({digits}) SELECT a.n * 10 + b.n AS k, REPEAT('x', 15000) FROM d a, d b "
        "ORDER BY k",
    )
    assert [row[0] for row in rows[1:]] == [str(n) for n in range(100)]


@pytest.mark.parametrize(("given", "other"), [("CSV", "get_statement_result"),
                                              ("JSON", "get_statement_result_v2")])  # fmt: skip
def test_each_format_has_its_operation(warehouse: Warehouse, given: str, other: str) -> None:
    shown = warehouse.wait(warehouse.submit("SELECT 1", ResultFormat=given))
    assert shown["ResultFormat"] == given
    with pytest.raises(ClientError, match="ValidationException"):
        getattr(warehouse.client, other)(Id=shown["Id"])


# -- parameters of requests ------------------------------------------------------------------------


def test_parameters_with_one_name_twice(warehouse: Warehouse) -> None:
    with pytest.raises(ClientError, match="duplicate parameter"):
        warehouse.submit(
            "SELECT :a", Parameters=[{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]
        )


def test_the_parameters_are_described(warehouse: Warehouse) -> None:
    parameters = [{"name": "a", "value": "null"}]
    shown = warehouse.wait(warehouse.submit("SELECT :a", Parameters=parameters))
    assert shown["QueryParameters"] == parameters
    assert shown["QueryString"] == "SELECT :a"
    assert warehouse.result(shown).rows == [["null"]], "the text, not the value NULL"


def test_a_database_user_of_ones_choice(warehouse: Warehouse) -> None:
    cluster = {
        "ClusterIdentifier": "one",
        "Database": DATABASE,
        "DbUser": f"u{uuid.uuid4().hex[:6]}",
    }
    answer = warehouse.client.execute_statement(
        Sql="SELECT current_user", WaitTimeSeconds=20, **cluster
    )
    assert answer["DbUser"] == cluster["DbUser"]
    assert warehouse.result(warehouse.describe(answer["Id"])).rows == [[cluster["DbUser"]]]
