"""The system views that need more than a case of fakeshift/tests/conformance/system.

Who sees what, what a rollback leaves, a provisioned cluster's views, the functions of the last COPY.
https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_system-tables.html
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROLE, Bucket, Start
from fakeshift.sql.datatypes import DataType
from fakeshift.system.views import VIEWS, system_views
from warehouse import StatementFailed, Warehouse

SERVERLESS = [view.full_name for view in system_views("serverless")]
INTERNAL = [view.full_name for view in VIEWS.values() if view.internal]


@pytest.mark.parametrize("name", [*SERVERLESS, *INTERNAL])
def test_every_view_can_be_read(warehouse: Warehouse, name: str) -> None:
    """With its columns, in the order and of the types that it declares."""
    warehouse.run("CREATE TABLE t.a (a INT SORTKEY, b VARCHAR(9) DEFAULT 'x')")
    warehouse.run("INSERT INTO t.a (a) VALUES (1)")
    result = warehouse.run(f"SELECT * FROM {name}")
    view = VIEWS[name]
    assert result.names == [column for column, _ in view.columns]
    assert result.types == [kind.name for _, kind in view.columns]


def test_types_are_redshifts() -> None:
    for view in VIEWS.values():
        assert view.columns, view.name
        for _, kind in view.columns:
            assert isinstance(kind, DataType)
            assert kind.duckdb
            assert kind.name not in ("bpchar", "numeric") or kind.length or kind.precision


def test_a_query_and_its_text(warehouse: Warehouse) -> None:
    long = f"SELECT 1 -- {'x' * 9000}"
    query = warehouse.run(long).query_id
    rows = warehouse.rows(
        "SELECT sequence, text FROM sys_query_text WHERE query_id = :q ORDER BY sequence",
        q=str(query),
    )
    assert [row[0] for row in rows] == [0, 1, 2]
    assert "".join(row[1] for row in rows) == long
    assert [len(row[1]) for row in rows[:2]] == [4000, 4000]
    (text,) = warehouse.rows(f"SELECT query_text FROM sys_query_history WHERE query_id = {query}")
    assert text == [long[:4000]]


def test_query_history_of_what_ended_and_what_runs(start: Start) -> None:
    warehouse = Warehouse(start(faults=True).url)
    warehouse.error("SELECT nothing")
    warehouse.local("faults", sql="SELECT 7", kind="delay", seconds=30)
    running = warehouse.submit("SELECT 7")
    warehouse.until(lambda: warehouse.describe(running)["Status"] == "STARTED")
    select = (
        "SELECT query_text, status, query_type, error_message FROM sys_query_history ORDER BY 1"
    )

    def history() -> list[list[Any]]:
        return [row for row in warehouse.rows(select) if row[0].startswith("SELECT ") and
                not row[0].startswith("SELECT query_text")]  # fmt: skip

    warehouse.until(lambda: len(history()) == 2)
    assert history() == [
        ["SELECT 7", "running", "SELECT", ""],
        ["SELECT nothing", "failed", "SELECT", 'ERROR: column "nothing" does not exist'],
    ]
    warehouse.client.cancel_statement(Id=running)
    warehouse.wait(running)
    assert history()[0][:3] == ["SELECT 7", "canceled", "SELECT"]
    shown = warehouse.describe(running)
    (ids,) = warehouse.rows(
        f"SELECT session_id FROM sys_query_history WHERE query_id = {shown['RedshiftQueryId']}"
    )
    assert ids == [shown["RedshiftPid"]]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1", "SELECT"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "SELECT"),
        ("INSERT INTO t.a VALUES (1)", "INSERT"),
        ("UPDATE t.a SET a = 2", "UPDATE"),
        ("DELETE FROM t.a", "DELETE"),
        ("CREATE TABLE t.b (a INT)", "DDL"),
        ("CREATE TABLE t.c AS SELECT 1 AS a", "CTAS"),
        ("ALTER TABLE t.a ADD COLUMN b INT", "DDL"),
        ("TRUNCATE t.a", "DDL"),
        ("DROP TABLE t.a", "DDL"),
        ("SET search_path TO t", "UTILITY"),
        ("GRANT SELECT ON t.a TO public", "UTILITY"),
    ],
)
def test_types_of_queries(warehouse: Warehouse, sql: str, kind: str) -> None:
    warehouse.run("CREATE TABLE t.a (a INT)")
    query = warehouse.run(sql).query_id
    assert warehouse.value(
        f"SELECT query_type FROM sys_query_history WHERE query_id = {query}"
    ) == (kind)


def test_transactions_end_committed_or_rolled_back(isolated: Warehouse) -> None:
    """The example of dg/SYS_QUERY_HISTORY.html: whether a query's transaction was committed."""
    good = isolated.batch("CREATE TABLE t.a (a INT)", "INSERT INTO t.a VALUES (1)")
    bad = isolated.batch("INSERT INTO t.a VALUES (2)", "SELECT nothing")
    ids = [b["SubStatements"][n]["RedshiftQueryId"] for b, n in ((good, 1), (bad, 0))]
    rows = isolated.rows(
        "SELECT qh.query_id, qh.status, th.status, th.isolation_level FROM sys_query_history qh "
        "LEFT JOIN sys_transaction_history th ON qh.transaction_id = th.transaction_id "
        f"WHERE qh.query_id IN ({ids[0]}, {ids[1]}) ORDER BY 1"
    )
    assert [row[:3] for row in rows] == [
        [ids[0], "success", "committed"],
        [ids[1], "success", "rolledback"],
    ]
    assert {row[3] for row in rows} <= {"Serializable", "Snapshot Isolation"}


def test_users_see_their_own_superusers_everything(start: Start) -> None:
    """dg/c_visibility-of-data.html"""
    url = start(admins=frozenset({"ADMIN"})).url
    admin, user = Warehouse(url, "ADMIN"), Warehouse(url, "AKIAUSER")
    mine = user.run("SELECT 1").query_id
    theirs = admin.run("SELECT 2").query_id
    ask = f"SELECT query_id FROM sys_query_history WHERE query_id IN ({mine}, {theirs}) ORDER BY 1"
    assert user.rows(ask) == [[mine]]
    assert admin.rows(ask) == [[mine], [theirs]]
    for view in ("svv_table_info", "sys_transaction_history"):
        assert (
            user.error(f"SELECT * FROM {view}") == f"ERROR: permission denied for relation {view}"
        )
        admin.run(f"SELECT * FROM {view}")


def test_pg_table_def_is_of_the_search_path(warehouse: Warehouse) -> None:
    """The example of dg/r_PG_TABLE_DEF.html"""
    warehouse.run("CREATE TABLE t.demotable (one INT)")
    session = warehouse.open_session()
    ask = "SELECT * FROM pg_table_def WHERE tablename = 'demotable'"
    assert session.run(ask).rows == []
    session.run("SET search_path TO '$user', 'public', 't'")
    assert session.run(ask).rows == [["t", "demotable", "one", "integer", "az64", False, 0, False]]


def test_svv_table_info(warehouse: Warehouse) -> None:
    """dg/r_SVV_TABLE_INFO.html: no empty tables"""
    warehouse.batch(
        "CREATE TABLE t.keyed (a INT DISTKEY SORTKEY, b VARCHAR(30) ENCODE zstd)",
        "CREATE TABLE t.everywhere (a INT) DISTSTYLE ALL",
        "CREATE TABLE t.plain (a INT)",
        "CREATE TABLE t.empty (a INT)",
        "INSERT INTO t.keyed VALUES (1, 'x'), (2, 'y')",
        "INSERT INTO t.everywhere VALUES (1)",
        "INSERT INTO t.plain VALUES (1)",
    )
    rows = warehouse.rows(
        'SELECT "table", encoded, diststyle, sortkey1, sortkey_num, max_varchar, tbl_rows '
        "FROM svv_table_info WHERE schema = 't' ORDER BY 1"
    )
    assert rows == [
        ["everywhere", "Y, AUTO(ENCODE)", "ALL", "AUTO(SORTKEY)", 0, 0, "1"],
        ["keyed", "Y", "KEY(a)", "a", 1, 30, "2"],
        ["plain", "Y, AUTO(ENCODE)", "AUTO(ALL)", "AUTO(SORTKEY)", 0, 0, "1"],
    ]


# -- loads --------------------------------------------------------------------------------------


def copy(url: str, more: str = "") -> str:
    return f"COPY t.a FROM '{url}' IAM_ROLE '{ROLE}' JSON 'auto' {more}"


def test_the_last_copy_of_a_session(copying: Warehouse, s3: Bucket) -> None:
    """dg/PG_LAST_COPY_ID.html, dg/PG_LAST_COPY_COUNT.html, dg/PG_LAST_QUERY_ID.html"""
    copying.run("CREATE TABLE t.a (a INT)")
    url = s3.put("a.json", '{"a": 1}\n{"a": 2}\n')
    session = copying.open_session()
    ask = "SELECT pg_last_copy_id(), pg_last_copy_count()"
    assert session.run(ask).rows == [[-1, 0]]
    loaded = session.run(copy(url))
    assert session.run(ask).rows == [[loaded.query_id, 2]]
    assert session.run("SELECT pg_last_query_id() > pg_last_copy_id()").rows == [[True]]
    assert copying.rows(ask) == [[-1, 0]], "of another session"
    files = session.run(
        "SELECT trim(file_name) FROM sys_load_detail WHERE query_id = pg_last_copy_id()"
    )
    assert files.rows == [[url]]


@pytest.fixture(scope="module")
def cluster_url(aws_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from fakeshift import LocalRedshift, Settings

    data = tmp_path_factory.mktemp("cluster")
    settings = Settings(data=data, port=0, aws_endpoint_url=aws_url, kind="provisioned")
    with LocalRedshift(settings) as server:
        yield server.url


@pytest.fixture
def cluster(cluster_url: str) -> Warehouse:
    made = Warehouse(cluster_url)
    made.make_schema()
    return made


CLUSTERS = [view.name for view in system_views("provisioned") if view.provisioned]


@pytest.mark.parametrize("name", [*CLUSTERS, "stl_insert", "stv_recents", "svl_query_report",
                                  "svcs_query_summary"])  # fmt: skip
def test_serverless_has_no_views_of_clusters(warehouse: Warehouse, name: str) -> None:
    """Even for an admin: dg/r_STL_LOAD_ERRORS.html"""
    assert warehouse.error(f"SELECT * FROM {name}") == (
        f"ERROR: permission denied for relation {name}"
    )
    assert warehouse.error(f"SELECT * FROM pg_catalog.{name}") == (
        f"ERROR: permission denied for relation {name}"
    )


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_cluster_has_them(cluster: Warehouse, name: str) -> None:
    assert cluster.run(f"SELECT * FROM {name}").names == [c for c, _ in VIEWS[name].columns]


def test_what_a_cluster_has_and_we_have_not(cluster: Warehouse) -> None:
    assert cluster.error("SELECT * FROM stv_recents") == (
        "ERROR: system view stv_recents is not supported by the local Redshift"
    )


def test_stl_query_and_svl_qlog(cluster: Warehouse) -> None:
    """dg/r_STL_QUERY.html: no utility and DDL commands; dg/r_SVL_QLOG.html"""
    query = cluster.run(f"SELECT 1 -- {'x' * 80}").query_id
    ddl = cluster.run("CREATE TABLE t.q (a INT)").query_id
    utility = cluster.run("SET search_path TO t").query_id
    with pytest.raises(StatementFailed) as failed:
        cluster.run("SELECT nothing")
    bad = failed.value.description["RedshiftQueryId"]
    several = f"({query}, {ddl}, {utility}, {bad})"
    rows = cluster.rows(
        f"SELECT query, trim(querytxt), aborted FROM stl_query WHERE query IN {several} ORDER BY 1"
    )
    assert rows == [[query, f"SELECT 1 -- {'x' * 80}", 0], [bad, "SELECT nothing", 1]]
    rows = cluster.rows(f"SELECT query, substring FROM svl_qlog WHERE query = {query}")
    assert rows == [[query, f"SELECT 1 -- {'x' * 45}..."]]
    texts = cluster.rows("SELECT trim(text) FROM stl_ddltext WHERE text LIKE 'CREATE TABLE t.q%'")
    assert texts == [["CREATE TABLE t.q (a INT)"]]
    kinds = "SELECT DISTINCT type FROM svl_statementtext ORDER BY 1"
    assert cluster.rows(kinds) == [["DDL"], ["QUERY"], ["UTILITY"]]
    assert ["SET search_path TO t"] in cluster.rows("SELECT trim(text) FROM stl_utilitytext")


def test_loads_on_a_cluster(cluster: Warehouse, s3: Bucket) -> None:
    """The sample queries of dg/r_STL_LOAD_COMMITS.html and dg/r_STL_LOAD_ERRORS.html"""
    cluster.run("CREATE TABLE t.a (a INT)")
    good, bad = s3.put("good.json", '{"a": 1}\n'), s3.put("bad.json", '{"a": 1}\n{"a": "x"}\n')
    session = cluster.open_session()
    session.run(copy(good))
    assert session.run(
        "SELECT query = pg_last_copy_id(), trim(filename) AS file FROM stl_load_commits "
        "WHERE query = pg_last_copy_id()"
    ).rows == [[True, good]]
    session.error(copy(bad))
    assert session.run(
        "SELECT trim(filename), line_number, trim(colname), err_code, trim(err_reason) "
        "FROM stl_load_errors WHERE query = pg_last_copy_id()"
    ).rows == [[bad, 2, "a", 1207, "Invalid digit, Value 'x', Pos 0, Type: Integer"]]


def test_unloads_on_a_cluster(cluster: Warehouse, s3: Bucket) -> None:
    """The sample query of dg/r_STL_UNLOAD_LOG.html; awswrangler asks the same."""
    session = cluster.open_session()
    url = s3.url("venue")
    session.run(f"UNLOAD ('select 1 union all select 2') TO '{url}' IAM_ROLE '{ROLE}'")
    files = "SELECT path FROM stl_unload_log WHERE query = pg_last_query_id() ORDER BY path"
    assert session.run(files).rows == [[f"{url}0000_part_00"], [f"{url}0001_part_00"]]


def test_what_a_cluster_shows_of_text_that_does_not_load(cluster: Warehouse, s3: Bucket) -> None:
    """raw_line and raw_field_value: "Multibyte characters ... are replaced with a period"
    (dg/r_STL_LOAD_ERRORS.html).
    """
    cluster.run("CREATE TABLE t.a (a INT, b VARCHAR(4), c INT)")
    text = s3.put("a.txt", "1|Zürich|7\n2|b|zwei\n3|c\n")
    session = cluster.open_session()
    session.run(f"COPY t.a FROM '{text}' IAM_ROLE '{ROLE}' MAXERROR 9")
    assert session.run(
        "SELECT line_number, trim(colname), trim(raw_line), trim(raw_field_value), position, "
        "err_code FROM stl_load_errors WHERE query = pg_last_copy_id() ORDER BY 1"
    ).rows == [
        [1, "b", "1|Z.rich|7", "Z.rich", 2, 1204],
        [2, "c", "2|b|zwei", "zwei", 4, 1207],
        [3, "b", "3|c", "", 2, 1214],
    ]


# -- the records on disk ------------------------------------------------------------------------


def test_records_of_an_older_server_are_read(start: Start, tmp_path: Path) -> None:
    """Its tables lack columns, and a query runs that never ended."""
    data = tmp_path / "d"
    server = start(data=data)
    Warehouse(server.url).run("SELECT 1")
    server.stop()
    with sqlite3.connect(data / "system.sqlite") as db:
        db.execute("ALTER TABLE load_error_detail DROP COLUMN raw_line")
        db.execute("DROP TABLE transaction_history")
        db.execute("UPDATE query_history SET status = 'running'")
    with sqlite3.connect(data / "statements.sqlite") as db:
        (document,) = db.execute("SELECT document FROM statements").fetchone()
        old = {**json.loads(document), "keep_session": True}
        old.pop("iam_session")
        db.execute("UPDATE statements SET document = ?", (json.dumps(old),))
        db.execute("DROP TABLE sessions")
    again = Warehouse(start(data=data).url)
    assert again.rows("SELECT status FROM sys_query_history WHERE query_text = 'SELECT 1'") == [
        ["failed"]
    ]
    assert len(again.client.list_statements()["Statements"]) == 2
    assert again.rows("SELECT * FROM sys_load_error_detail") == []


def test_a_database_that_is_case_insensitive(start: Start) -> None:
    """dg/r_DB_COLLATION.html; dg/r_CREATE_DATABASE.html, Database collation limitations"""
    assert Warehouse(start().url).value("SELECT db_collation()") == "case_sensitive"
    warehouse = Warehouse(start(collation="case_insensitive").url)
    assert warehouse.value("SELECT db_collation()") == "case_insensitive"
    refused = "ERROR: SUPER column is not supported in case insensitive database."
    assert warehouse.error("CREATE TABLE public.s (a SUPER)") == refused
    warehouse.run("CREATE TABLE public.s (a INT)")
    assert warehouse.error("ALTER TABLE public.s ADD COLUMN b SUPER") == refused


_DETAIL = "SELECT TRIM(file_name) FROM sys_load_detail WHERE query_id = pg_last_copy_id()"


def _copied(warehouse: Warehouse, s3: Bucket, *then: str) -> list[list[Any]]:
    """What the statements after a COPY of a file with ``=`` in its name ask for, the last one."""
    url = s3.put("year=2018/a.json", '{"a": 1}')
    warehouse.run("CREATE TABLE IF NOT EXISTS public.x (a INT)")
    copy = f"COPY public.x FROM '{url}' IAM_ROLE '{ROLE}' FORMAT JSON 'auto'"
    shown = warehouse.batch(copy, *then)
    assert shown["Status"] == "FINISHED", shown.get("Error")
    return warehouse.result(shown["SubStatements"][-1]).rows


def test_sys_load_detail_of_an_older_patch(start: Start, aws_url: str, s3: Bucket) -> None:
    """Its columns file_etag and file_last_modified are young: dg/SYS_LOAD_DETAIL.html, translations"""
    warehouse = Warehouse(start(aws_endpoint_url=aws_url, file_etag=False).url)
    assert _copied(warehouse, s3, _DETAIL) == [[s3.url("year=2018/a.json")]]
    for column in ("file_etag", "file_last_modified"):
        for prefix in ("", "EXPLAIN "):
            error = warehouse.error(f"{prefix}SELECT {column} FROM sys_load_detail")
            assert error == f'ERROR: column "{column}" does not exist'


def test_sys_load_detail_that_is_late(start: Start, aws_url: str, s3: Bucket) -> None:
    warehouse = Warehouse(start(aws_endpoint_url=aws_url, load_detail_seconds=2.0).url)
    assert _copied(warehouse, s3, _DETAIL) == []
    look = "SELECT count(*) FROM sys_load_detail"
    assert warehouse.value(look) == 0
    warehouse.until(lambda: warehouse.value(look) == 1)


def test_sys_load_detail_with_encoded_names(start: Start, aws_url: str, s3: Bucket) -> None:
    warehouse = Warehouse(start(aws_endpoint_url=aws_url, load_detail_encoded=True).url)
    assert _copied(warehouse, s3, _DETAIL) == [[s3.url("year%3D2018/a.json")]]


def test_sys_load_detail_of_single_statements(start: Start, aws_url: str, s3: Bucket) -> None:
    warehouse = Warehouse(start(aws_endpoint_url=aws_url, faults=True).url)
    warehouse.local("faults", sql="sys_load_detail", kind="empty")
    assert _copied(warehouse, s3, _DETAIL) == []
    warehouse.local("faults", sql="sys_load_detail", kind="encoded")
    assert _copied(warehouse, s3, _DETAIL) == [[s3.url("year%3D2018/a.json")]]
    assert _copied(warehouse, s3, _DETAIL) == [[s3.url("year=2018/a.json")]]
