"""The server itself: restarts, a second one, signals, its logs, faults on purpose, the clients."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Literal

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from conftest import LEVELS, Start
from fakeshift.__main__ import main
from fakeshift.engine.database import DataDirectoryInUse
from fakeshift.faults import TEXTS
from fakeshift.statements.record import Statement, SubStatement
from fakeshift.statements.store import StatementStore
from warehouse import Warehouse

from fakeshift import LocalRedshift, Settings

ROOT = Path(__file__).parents[2]


def test_data_and_statements_survive_a_restart(start: Start, tmp_path: Path) -> None:
    first = start(data=tmp_path / "d")
    warehouse = Warehouse(first.url)
    warehouse.batch("CREATE SCHEMA t", "CREATE TABLE t.a (id INT IDENTITY(1,1), x INT)")
    warehouse.run("INSERT INTO t.a (x) VALUES (1)")
    done = warehouse.submit("SELECT x FROM t.a")
    warehouse.wait(done)
    holder = warehouse.open_session()
    holder.run("BEGIN")
    holder.run("LOCK t.a")
    waiting = warehouse.submit_batch("LOCK t.a", "INSERT INTO t.a (x) VALUES (2)")
    warehouse.until(lambda: warehouse.health()["waiting_for_locks"] == 1)
    first.stop()
    again = Warehouse(start(data=tmp_path / "d").url)
    assert again.result(again.describe(done)).rows == [[1]]
    shown = again.describe(waiting)
    assert shown["Status"] == "FAILED"
    assert shown["Error"].startswith("ERROR: terminating connection")
    again.run("INSERT INTO t.a (x) VALUES (3)")
    assert again.rows("SELECT x FROM t.a ORDER BY x") == [[1], [3]]
    assert again.value("SELECT count(*) FROM sys_query_history WHERE query_type = 'SELECT'") > 0


def test_a_second_server_on_the_same_data_is_refused(start: Start, tmp_path: Path) -> None:
    start(data=tmp_path / "d")
    with pytest.raises(DataDirectoryInUse, match="in use by another local Redshift"):
        LocalRedshift(Settings(data=tmp_path / "d", port=0))


def test_only_this_machine_is_served(start: Start) -> None:
    assert start().server.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_leaves_the_data_free(start: Start, tmp_path: Path) -> None:
    taken = start(data=tmp_path / "one").server.server_address[1]
    with pytest.raises(OSError, match="in use"):
        LocalRedshift(Settings(data=tmp_path / "two", port=taken))
    assert Warehouse(start(data=tmp_path / "two").url).value("SELECT 1") == 1


def _process(data: Path, *more: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "fakeshift", "--port", "0", "--data", str(data), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    return process, line.split(" on ")[1].split(",")[0]


def test_the_command_line_stops_cleanly_on_sigterm(tmp_path: Path) -> None:
    """Also while a statement runs, which has FAILED at the next start."""
    process, url = _process(tmp_path / "d", "--kind", "provisioned", "--database", "mine")
    warehouse = Warehouse(url)

    def submit(sql: str) -> str:
        target = {"Database": "mine", "ClusterIdentifier": "one"}
        return str(warehouse.client.execute_statement(Sql=sql, **target)["Id"])

    assert warehouse.wait(submit("SELECT * FROM stl_query"))["Status"] == "FINISHED"
    digits = "(" + " UNION ALL ".join(f"SELECT {n} AS a" for n in range(10)) + ")"
    tables = ", ".join(f"{digits} t{n}" for n in range(14))
    running = submit(f"SELECT count(*) FROM {tables}")
    warehouse.until(lambda: warehouse.describe(running)["Status"] == "STARTED")
    second = subprocess.run(
        [sys.executable, "-m", "fakeshift", "--port", "0", "--data", str(tmp_path / "d")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    assert second.returncode == 1
    assert "in use by another local Redshift" in second.stderr
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert errors == ""
    with LocalRedshift(Settings(data=tmp_path / "d", port=0, database="mine")) as again:
        shown = Warehouse(again.url).describe(running)
    assert shown["Status"] == "FAILED"
    assert shown["Error"] == "ERROR: terminating connection due to administrator command"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--port", "99999"], "--port: 99999 is not a number from 0 to 65535"),
        (["--threads", "0"], "--threads: 0 is not a number from 1 to 1024"),
        (["--memory-limit", "lots"], "--memory-limit: 'lots' is not like 2GB"),
        (["--database", "x'y"], "is not like dev"),
        (["--data", "{file}"], "the data directory {file} cannot be used: [Errno"),
        (["--data", "{broken}"], "{broken} cannot be used: IO Error"),
        (["--principals", "{file}"], "principals file {file}: Expecting"),
        (["--port", "{taken}"], "port {taken}: [Errno"),
    ],
)
def test_what_keeps_it_from_starting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], says: str
) -> None:
    """One line that names what to change, no traceback."""
    file, broken = tmp_path / "file", tmp_path / "broken"
    file.write_text("{")
    broken.mkdir()
    (broken / "warehouse.duckdb").write_bytes(b"no database" * 1000)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        names = {"file": file, "broken": broken, "taken": listening.getsockname()[1]}
        given = [word.format(**names) for word in more]
        try:
            assert main(["--port", "0", "--data", str(tmp_path / "d"), *given]) == 1
        except SystemExit as stopped:
            assert stopped.code == 2  # noqa: PT017
    said = capsys.readouterr().err
    assert says.format(**names) in said
    assert "Traceback" not in said


def test_help_says_how_to_use_it() -> None:
    """Every option, and what a client has to know."""
    shown = subprocess.run(
        [sys.executable, "-m", "fakeshift", "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=60,
    ).stdout
    for word in ("--port", "--data", "--database", "--kind", "--isolation", "--region",
                 "--snapshot-at", "--collation", "--file-etag",
                 "--load-detail-seconds", "--load-detail-encoded",
                 "--assume-role", "--default-iam-role", "--principals", "--admin", "--faults",
                 "AWS_ENDPOINT_URL_REDSHIFT_DATA", "AWS_ENDPOINT_URL_S3", "IAM:K", "sql-in.jsonl",
                 "survives a restart"):  # fmt: skip
        assert word in shown


def test_what_was_told_once_is_kept(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a statement is on disk before any caller learns of it: a kill changes nothing."""
    server = start()
    seen: list[tuple[str, str]] = []
    save = server.store.save

    def watched(record: Statement) -> None:
        save(record)
        known = server.store.get(record.id)
        assert known is not None
        seen.append((record.status, known.status))

    monkeypatch.setattr(server.store, "save", watched)
    Warehouse(server.url).run("SELECT 1")
    assert ("FINISHED", "STARTED") in seen
    assert ("FINISHED", "FINISHED") not in seen


@pytest.mark.parametrize(
    ("batch", "mode", "status"),
    [
        (False, "TRANSACTION", "FINISHED"),
        (True, "AUTO_COMMIT", "FINISHED"),
        (True, "TRANSACTION", "FAILED"),
    ],
)
def test_what_was_committed_before_a_kill_has_not_failed(
    tmp_path: Path, batch: bool, mode: Literal["TRANSACTION", "AUTO_COMMIT"], status: str
) -> None:
    """The kill came after the commit, before the statement's end was written."""
    store = StatementStore(tmp_path / "statements.sqlite")
    part = SubStatement(id="a:1" if batch else "a", sql="INSERT", status="FINISHED", result_rows=1)
    made = Statement(
        id="a", owner="me", db_user="me", superuser=False, database="dev", parts=[part],
        batch=batch, mode=mode, status="STARTED",
    )  # fmt: skip
    store.add(made, None)
    store.close()
    for _ in range(2):
        store = StatementStore(tmp_path / "statements.sqlite")
        found = store.get("a")
        assert found is not None
        assert (found.status, found.parts[0].status) == (status, "FINISHED")
        store.close()


def test_what_a_kill_leaves_is_whole(tmp_path: Path) -> None:
    """kill -9 in the middle of a transaction: committed data is there, nothing else."""
    process, url = _process(tmp_path / "d")
    warehouse = Warehouse(url)
    warehouse.batch("CREATE SCHEMA t", "CREATE TABLE t.a (x INT)", "INSERT INTO t.a VALUES (1)")
    holder = warehouse.open_session()
    holder.run("BEGIN")
    holder.run("INSERT INTO t.a VALUES (2)")
    process.kill()
    process.communicate(timeout=20)
    process, url = _process(tmp_path / "d")
    try:
        assert Warehouse(url).rows("SELECT x FROM t.a") == [[1]]
    finally:
        process.terminate()
        process.communicate(timeout=20)


_ENDS = """
import pathlib, sys
from fakeshift import LocalRedshift, Settings
from test_transactions import ENDLESS, started, with_numbers
from warehouse import Warehouse

server = LocalRedshift(Settings(data=pathlib.Path(sys.argv[1]), port=0)).start()
warehouse = Warehouse(server.url)
warehouse.make_schema()
with_numbers(warehouse)
started(warehouse, warehouse.submit(ENDLESS))
"""


def test_a_process_that_forgets_to_stop_it_ends_cleanly(tmp_path: Path) -> None:
    """Not by a signal from a thread that is inside DuckDB; and the data is whole."""
    ended = subprocess.run(
        [sys.executable, "-c", _ENDS, str(tmp_path / "d")],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    with LocalRedshift(Settings(data=tmp_path / "d", port=0)) as again:
        assert Warehouse(again.url).value("SELECT count(*) FROM t.n") == 200


def test_sql_logs(start: Start, tmp_path: Path) -> None:
    warehouse = Warehouse(start(data=tmp_path / "d").url)
    warehouse.run("SELECT :a::int", a="1")
    warehouse.error("SELECT nothing")
    submitted = [json.loads(line) for line in (tmp_path / "d/sql-in.jsonl").open()]
    assert [line["sql"] for line in submitted] == ["SELECT :a::int", "SELECT nothing"]
    assert submitted[0]["parameters"] == {"a": "1"}
    ran = [json.loads(line) for line in (tmp_path / "d/sql-run.jsonl").open()]
    assert [line["status"] for line in ran] == ["FINISHED", "FAILED"]
    assert ran[0]["duckdb"] == ["SELECT RS_INT4('1') AS \"int4\""]


def test_a_log_goes_on_after_a_line_that_was_cut_off(start: Start, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in ("sql-in.jsonl", "sql-run.jsonl"):
        (tmp_path / "d" / name).write_text('{"sql": "one"}\n{"sql": "tw')
    warehouse = Warehouse(start(data=tmp_path / "d").url)
    warehouse.run("SELECT 3")
    for name in ("sql-in.jsonl", "sql-run.jsonl"):
        lines = (tmp_path / "d" / name).read_text().splitlines()
        assert len(lines) == 3
        assert json.loads(lines[2])["sql"] == "SELECT 3"


def test_faults_are_off_by_default(isolated: Warehouse) -> None:
    with pytest.raises(AssertionError, match="faults are off"):
        isolated.local("faults", operation="*", kind="fail")
    with pytest.raises(AssertionError, match="faults are off"):
        isolated.local("restart")
    assert isolated.value("SELECT 1") == 1


def test_faults_on_purpose(start: Start) -> None:
    warehouse = Warehouse(start(faults=True).url)
    warehouse.batch("CREATE SCHEMA t", "CREATE TABLE t.a (x INT)")
    warehouse.local("faults", operation="ExecuteStatement", kind="fail", skip=1,
           code="ActiveStatementsExceededException", status=400)  # fmt: skip
    warehouse.run("INSERT INTO t.a VALUES (1)")
    with pytest.raises(ClientError, match="ActiveStatementsExceededException"):
        warehouse.run("INSERT INTO t.a VALUES (2)")
    warehouse.local("faults", operation="ExecuteStatement", kind="drop")
    with pytest.raises(ConnectionClosedError):
        warehouse.run("INSERT INTO t.a VALUES (3)")
    warehouse.until(lambda: warehouse.health()["active_statements"] == 0)
    assert warehouse.rows("SELECT x FROM t.a ORDER BY x") == [[1], [3]]
    before = time.monotonic()
    warehouse.local("faults", operation="*", kind="delay", seconds=0.3)
    warehouse.run("SELECT 1")
    assert time.monotonic() - before > 0.3


@pytest.mark.parametrize("isolation", LEVELS)
def test_restart_in_the_middle(start: Start, isolation: str) -> None:
    """The warehouse restarts: what ran has failed, its work is undone, the next goes through."""
    warehouse = Warehouse(start(faults=True, isolation=isolation).url)
    warehouse.batch("CREATE SCHEMA t", "CREATE TABLE t.a (x INT)")
    holder = warehouse.open_session()
    holder.run("BEGIN")
    holder.run("LOCK t.a")
    waiting = warehouse.submit_batch("INSERT INTO t.a VALUES (1)", "SELECT 1")
    warehouse.until(lambda: warehouse.health()["waiting_for_locks"] == 1)
    warehouse.local("restart")
    shown = warehouse.wait(waiting)
    assert shown["Status"] == "FAILED"
    assert "terminating connection" in shown["Error"]
    assert warehouse.value("SELECT count(*) FROM t.a") == 0


def test_faults_of_statements(start: Start) -> None:
    warehouse = Warehouse(start(faults=True).url)
    warehouse.batch("CREATE SCHEMA t", "CREATE TABLE t.a (x INT)")
    publish = ("INSERT INTO t.a VALUES (1)", "INSERT INTO t.a VALUES (2)")
    warehouse.local("faults", sql="INSERT INTO t.a", kind="fail", skip=1, message="disk full")
    assert warehouse.batch(*publish)["Error"] == "Query #2 failed with ERROR: disk full"
    warehouse.local("faults", sql="VALUES .2.", kind="restart")
    assert "terminating connection" in warehouse.batch(*publish)["Error"]
    warehouse.local("faults", sql="values .1.", kind="delay", seconds=20)
    slow = warehouse.submit_batch(*publish)
    warehouse.until(lambda: warehouse.describe(slow)["SubStatements"][0]["Status"] == "STARTED")
    warehouse.client.cancel_statement(Id=slow)
    assert warehouse.wait(slow)["Status"] == "ABORTED"
    assert warehouse.value("SELECT count(*) FROM t.a") == 0
    assert warehouse.batch(*publish)["Status"] == "FINISHED"


@pytest.mark.parametrize("isolation", LEVELS)
def test_a_statement_that_somebody_else_cancels(start: Start, isolation: str) -> None:
    warehouse = Warehouse(start(faults=True, isolation=isolation).url)
    warehouse.batch("CREATE SCHEMA t", "CREATE TABLE t.a (x INT)")
    publish = ("INSERT INTO t.a VALUES (1)", "INSERT INTO t.a VALUES (2)", "SELECT 1")
    warehouse.local("faults", sql="VALUES .2.", kind="abort")
    shown = warehouse.batch(*publish)
    assert shown["Status"] == "ABORTED"
    assert [p["Status"] for p in shown["SubStatements"]] == ["FINISHED", "ABORTED", "ABORTED"]
    query = shown["SubStatements"][1]["RedshiftQueryId"]
    assert shown["Error"] == f"ERROR: Query ({query}) cancelled on user's request"
    rule = 'Query (1) cancelled by WLM abort action of Query Monitoring Rule "long".'
    warehouse.local("faults", sql="SELECT 1", kind="abort", message=rule)
    assert warehouse.batch(*publish)["Error"] == f"ERROR: {rule}"
    session = warehouse.open_session()
    session.run("BEGIN")
    session.run(publish[0])
    for kind in ("abort", "fail"):
        warehouse.local("faults", sql="SELECT 1", kind=kind)
        session.error("SELECT 1")
        assert "current transaction is aborted" in session.error("SELECT 2")
        session.run("ROLLBACK")
        session.run("BEGIN")
    assert session.run("SELECT count(*) FROM t.a").rows == [[0]]


def test_a_paused_warehouse_takes_no_statement(start: Start) -> None:
    warehouse = Warehouse(start(faults=True).url)
    warehouse.batch("CREATE SCHEMA t", "CREATE TABLE t.a (x INT)")
    before = warehouse.submit("SELECT 7")
    warehouse.wait(before)
    warehouse.local("faults", operation="*", kind="paused", times=2)
    for submit in (warehouse.submit, warehouse.submit_batch):
        assert warehouse.result(warehouse.describe(before)).rows == [[7]]
        with pytest.raises(ClientError) as refused:
            submit("INSERT INTO t.a VALUES (1)")
        error = refused.value.response["Error"]
        assert error["Code"] == "ValidationException"
        assert error["Message"] == "Redshift endpoint is not available."
    assert warehouse.value("SELECT count(*) FROM t.a") == 0
    warehouse.local("faults", operation="ExecuteStatement", kind="paused", times=0)
    for _ in range(5):
        with pytest.raises(ClientError, match="endpoint is not available"):
            warehouse.run("SELECT 1")
    assert warehouse.batch("SELECT 1")["Status"] == "FINISHED"
    warehouse.local("faults", clear=True)
    assert warehouse.value("SELECT 1") == 1
    with pytest.raises(AssertionError, match="operation must be ExecuteStatement"):
        warehouse.local("faults", operation="DescribeStatement", kind="paused")
    with pytest.raises(AssertionError, match="a kind that is valid for it"):
        warehouse.local("faults", sql="SELECT", kind="paused")


def test_a_trivial_round_trip_is_kept_alive(warehouse: Warehouse) -> None:
    """One connection serves many requests: there is not one for each."""
    for _ in range(20):
        warehouse.run("SELECT 1")
    pools = warehouse.client._endpoint.http_session._manager.pools
    names = list(pools.keys())
    assert [pools[name].num_connections for name in names] == [1]


@pytest.mark.parametrize("text", TEXTS)
def test_what_interrupts_statements_can_be_made_to(start: Start, text: str) -> None:
    warehouse = Warehouse(start(faults=True).url)
    warehouse.local("faults", sql="SELECT 1", kind="fail", text=text)
    shown = warehouse.wait(warehouse.submit("SELECT 1"))
    message, code, context, source = TEXTS[text]
    assert shown["Status"] == "FAILED"
    assert shown["Error"].startswith(f"ERROR: {message.split('{', maxsplit=1)[0]}")
    assert "{" not in shown["Error"]
    assert source.startswith("https://")
    if code:
        assert f"code:      {code}\n  context:   {context}" in shown["Error"]
    assert warehouse.value("SELECT 1") == 1


def test_a_cancel_is_aborted_or_failed_as_the_fault_says(start: Start) -> None:
    """CANCEL by another user has been seen as both: the Data API's status, the driver's error."""
    warehouse = Warehouse(start(faults=True).url)
    for kind, status in (("abort", "ABORTED"), ("fail", "FAILED")):
        warehouse.local("faults", sql="SELECT 1", kind=kind, text="cancelled")
        shown = warehouse.wait(warehouse.submit("SELECT 1"))
        assert shown["Status"] == status
        number = shown["RedshiftQueryId"]
        assert f"Query ({number}) cancelled on user's request" in shown["Error"]


@pytest.mark.parametrize(
    "fault",
    [
        {"sql": "SELECT 1", "kind": "fail", "text": "nothing"},
        {"operation": "*", "kind": "fail", "text": "cancelled"},
        {"sql": "SELECT 1", "kind": "delay", "text": "cancelled"},
        {"operation": "*", "kind": "empty"},
    ],
)
def test_a_fault_that_makes_no_sense(start: Start, fault: dict[str, Any]) -> None:
    warehouse = Warehouse(start(faults=True).url)
    with pytest.raises(AssertionError, match=r"text is only for|a fault needs"):
        warehouse.local("faults", **fault)
