"""A statement that was undone leaves nothing behind.

Each kind of statement is the first of its session, and is rolled back, fails, is cancelled, or its session
ends. Then the session, and another one, answer as if they had never seen it.

https://docs.aws.amazon.com/redshift/latest/dg/r_ROLLBACK.html: "discards all updates made by that transaction".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError
from conftest import ROLE, Bucket, Start
from fakeshift.commands import execute
from fakeshift.engine.database import Database
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.session import Session
from fakeshift.engine.sink import ResultSink
from fakeshift.errors import RedshiftError
from fakeshift.statements.runner import Runner
from warehouse import Warehouse

from fakeshift import Settings

ABORTED = "ERROR: current transaction is aborted, commands ignored until end of transaction block"

LAST_IDS = (
    "SELECT pg_last_copy_id(), pg_last_copy_count(), pg_last_unload_id(), pg_last_unload_count()"
)

KINDS = {
    "CREATE TEMP TABLE": "CREATE TEMP TABLE p (a INT)",
    "CREATE TEMP TABLE AS": "CREATE TEMP TABLE p AS SELECT 1 AS a",
    "CREATE TEMP TABLE LIKE": "CREATE TEMP TABLE p (LIKE t.kept)",
    "SELECT INTO TEMP": "SELECT a INTO TEMP p FROM t.kept",
    "CREATE TABLE": "CREATE TABLE t.p (a INT, n BIGINT IDENTITY(1, 1))",
    "CREATE TABLE AS": "CREATE TABLE t.p AS SELECT a FROM t.kept",
    "CREATE VIEW": "CREATE VIEW t.p AS SELECT a FROM t.kept",
    "CREATE OR REPLACE VIEW": "CREATE OR REPLACE VIEW t.seen AS SELECT a, a AS b FROM t.kept",
    "CREATE SCHEMA": "CREATE SCHEMA made",
    "CREATE USER": "CREATE USER newcomer PASSWORD DISABLE",
    "CREATE GROUP": "CREATE GROUP some",
    "CREATE ROLE": "CREATE ROLE another",
    "ALTER GROUP": "ALTER GROUP readers ADD USER somebody",
    "DROP TABLE": "DROP TABLE t.other",
    "DROP TABLE CASCADE": "DROP TABLE t.kept CASCADE",
    "DROP VIEW": "DROP VIEW t.seen",
    "DROP SCHEMA": "DROP SCHEMA t CASCADE",
    "DROP USER": "DROP USER nobody",
    "DROP GROUP": "DROP GROUP nobodys",
    "ALTER TABLE ADD": "ALTER TABLE t.other ADD COLUMN b INT",
    "ALTER TABLE DROP": "ALTER TABLE t.other DROP COLUMN b2",
    "ALTER TABLE RENAME": "ALTER TABLE t.other RENAME TO p",
    "ALTER TABLE OWNER": "ALTER TABLE t.other OWNER TO somebody",
    "ALTER SCHEMA": "ALTER SCHEMA t OWNER TO somebody",
    "COMMENT": "COMMENT ON TABLE t.other IS 'changed'",
    "GRANT": "GRANT SELECT ON t.other TO somebody",
    "REVOKE": "REVOKE SELECT ON t.kept FROM somebody",
    "GRANT ROLE": "GRANT ROLE auditors TO somebody",
    "ALTER DEFAULT PRIVILEGES": "ALTER DEFAULT PRIVILEGES IN SCHEMA t GRANT SELECT ON TABLES TO somebody",
    "INSERT": "INSERT INTO t.kept VALUES (2)",
    "UPDATE": "UPDATE t.kept SET a = 3",
    "DELETE": "DELETE FROM t.kept",
    "MERGE": "MERGE INTO t.kept USING t.other ON t.kept.a = t.other.a WHEN MATCHED THEN UPDATE SET a = 5 "
    "WHEN NOT MATCHED THEN INSERT VALUES (9)",
    "COPY": "COPY t.kept FROM '{s3}' IAM_ROLE '{role}' FORMAT AS JSON 'auto'",
    "UNLOAD": "UNLOAD ('SELECT a FROM t.kept') TO '{s3}-out/' IAM_ROLE '{role}' ALLOWOVERWRITE",
    "SET search_path": "SET search_path TO nowhere",
    "SET LOCAL search_path": "SET LOCAL search_path TO nowhere",
    "SET": "SET query_group TO 'mine'",
    "RESET": "RESET query_group",
    "LOCK": "LOCK t.kept",
    "SELECT": "SELECT a FROM t.kept",
    "a system view": "SELECT count(*) FROM svv_tables",
    "EXPLAIN": "EXPLAIN SELECT a FROM t.kept",
    "ANALYZE": "ANALYZE t.kept",
    "SHOW": "SHOW search_path",
}

SETUP = (
    "CREATE SCHEMA t",
    "CREATE TABLE t.kept (a INT)",
    "INSERT INTO t.kept VALUES (1)",
    "CREATE TABLE t.other (a INT, b2 INT)",
    "CREATE VIEW t.seen AS SELECT a FROM t.kept",
    "CREATE USER somebody PASSWORD DISABLE",
    "CREATE USER nobody PASSWORD DISABLE",
    "CREATE GROUP readers",
    "CREATE GROUP nobodys",
    "CREATE ROLE auditors",
    "GRANT SELECT ON t.kept TO somebody",
    "GRANT SELECT ON t.other TO GROUP readers",
    "GRANT SELECT ON t.other TO ROLE auditors",
)

# Each runs by itself, after all of those before it: in the session that saw a statement that never happened.
ASKED = (
    "SHOW search_path",
    "SHOW query_group",
    LAST_IDS,
    "SELECT a FROM kept",
    "SET search_path TO t",
    "SELECT a FROM kept",
    "SELECT a FROM p",
    "CREATE TEMP TABLE p AS SELECT a FROM kept",
    "SELECT a FROM p",
)
# The same of what all sessions see.
SEEN = (
    "SELECT * FROM t.seen",
    "SELECT table_name, table_type, remarks FROM svv_tables WHERE table_schema = 't' ORDER BY 1",
    "SELECT relation_name, identity_name, privilege_type FROM svv_relation_privileges ORDER BY 1, 2, 3",
    "SELECT usename FROM pg_user ORDER BY 1",
    "SELECT groname FROM pg_group ORDER BY 1",
    "SELECT has_table_privilege('somebody', 't.kept', 'select'), has_table_privilege('somebody', 't.other', 'select')",
    "SELECT schema_name, schema_owner FROM svv_all_schemas WHERE schema_name IN ('t', 'made') ORDER BY 1",
    "SELECT table_name, column_name FROM svv_columns WHERE table_schema = 't' ORDER BY 1, 2",
    "BEGIN",
    "CREATE TABLE t.p (a INT)",
    "CREATE SCHEMA made",
    "CREATE USER newcomer PASSWORD DISABLE",
    "CREATE GROUP some",
    "CREATE ROLE another",
    "SELECT has_table_privilege('somebody', 't.p', 'select')",
    "INSERT INTO t.kept VALUES (8)",
    "DROP TABLE t.kept CASCADE",
    "ROLLBACK",
)

Ending = Callable[[Session, str], None]


def run(session: Session, sql: str) -> list[Any]:
    """The rows of a statement as the runner runs it; RedshiftError if it fails."""
    pages: list[Any] = []
    session.cancellation.begin()
    try:
        query = session.database.next_query_id()
        session.run(sql, {}, ResultSink(lambda _, page: pages.append(page)), query)
    finally:
        session.cancellation.end()
    return [page["Records"] for page in pages]


def told(session: Session, sql: str) -> str:
    """What a statement answers, or its error."""
    try:
        return repr(run(session, sql))
    except RedshiftError as error:
        return str(error)


def error(session: Session, sql: str) -> str:
    with pytest.raises(RedshiftError) as caught:
        run(session, sql)
    return str(caught.value)


# ---------------------------------------------------------------- endings
def rolled_back(session: Session, sql: str) -> None:
    for one in ("BEGIN", sql, "ROLLBACK"):
        run(session, one)


def failed_later(session: Session, sql: str) -> None:
    """After an error only the end of the block is accepted; COMMIT is then a rollback."""
    run(session, "BEGIN")
    run(session, sql)
    assert "division by zero" in error(session, "SELECT 1 / 0")
    assert {
        error(session, one) for one in (sql, "SELECT 1", "BEGIN", "SET query_group TO 'x'")
    } == {ABORTED}
    run(session, "COMMIT")


def failed(session: Session, sql: str) -> None:
    """By itself, with all of its work done."""
    with at_its_end(lambda _: fail("disk full")):
        assert error(session, sql) == "ERROR: disk full"


def cancelled(session: Session, sql: str) -> None:
    """By itself, with all of its work done."""
    with at_its_end(Session.cancel):
        assert "cancelled on user's request" in error(session, sql)


def cancelled_in_a_block(session: Session, sql: str) -> None:
    run(session, "BEGIN")
    with at_its_end(Session.cancel):
        assert "cancelled on user's request" in error(session, sql)
    assert error(session, "SELECT 1") == ABORTED
    run(session, "ROLLBACK")


def ended(session: Session, sql: str) -> None:
    """Its session is closed in the middle of a block; the answers are of others then."""
    run(session, "BEGIN")
    run(session, sql)
    session.close()


def fail(message: str) -> None:
    raise RedshiftError(message)


@contextmanager
def at_its_end(what: Callable[[Session], None]) -> Iterator[None]:
    """Has something happen to a session between a statement's work and its commit."""
    AT_THE_END.append(what)
    try:
        yield
    finally:
        AT_THE_END.remove(what)


AT_THE_END: list[Callable[[Session], None]] = []


def execute_and(session: Session, statement: object) -> Outcome:
    outcome = execute(session, statement)
    for what in AT_THE_END:
        what(session)
    return outcome


ENDINGS: list[Ending] = [rolled_back, failed_later, failed, cancelled, cancelled_in_a_block, ended]


# ---------------------------------------------------------------- the warehouse
@dataclass
class House:
    """A warehouse after SETUP, and what a session answers that has seen nothing."""

    database: Database
    words: dict[str, str]
    answers: dict[str, list[str]]

    def open(self) -> Session:
        return Session(self.database, "boss", execute_and, superuser=True)


def told_all(session: Session, asked: Sequence[str]) -> list[str]:
    answers = [told(session, sql) for sql in asked]
    session.close()
    return answers


@pytest.fixture(scope="module")
def house(
    aws_url: str, s3_client: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    settings = Settings(
        data=tmp_path_factory.mktemp("house"), aws_endpoint_url=aws_url, admins=frozenset({"boss"})
    )
    database = Database(settings)
    file = Bucket(s3_client, "after-failures").put("a.json", '{"a": 4}')
    made = House(database, {"s3": file, "role": ROLE}, {})
    setup = made.open()
    for sql in SETUP:
        run(setup, sql)
    setup.close()
    made.answers = {"asked": told_all(made.open(), ASKED), "seen": told_all(made.open(), SEEN)}
    yield made
    database.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_never_happened_leaves_nothing(house: House, kind: str) -> None:
    for ending in ENDINGS:
        session = house.open()
        ending(session, KINDS[kind].format(**house.words))
        answers = told_all(house.open() if ending is ended else session, ASKED)
        wanted = list(house.answers["asked"])
        if ending is failed and kind in ("COPY", "UNLOAD"):
            # "If the COPY fails because of invalid load data, the COPY ID is updated": PG_LAST_COPY_ID
            wanted[ASKED.index(LAST_IDS)] = answers[ASKED.index(LAST_IDS)]
        assert answers == wanted, ending.__name__
    assert told_all(house.open(), SEEN) == house.answers["seen"]


def test_the_answers_are_those_of_a_sound_warehouse(house: House) -> None:
    """What the statements above are compared with has no error but that of the table that is not there."""
    errors = [text for text in house.answers["asked"] + house.answers["seen"] if "ERROR" in text]
    assert errors == ['ERROR: relation "kept" does not exist', 'ERROR: relation "p" does not exist']


# ---------------------------------------------------------------- over the Data API
def test_an_auto_commit_batch_goes_on_as_a_session_does(warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE t.kept (a INT)")
    sqls = {
        "BEGIN": "",
        "CREATE TEMP TABLE p (a INT)": "",
        "SET search_path TO nowhere": "",
        "SELECT 1 / 0": "ERROR: division by zero",
        "SELECT 1": ABORTED,
        "BEGIN WORK": ABORTED,
        "ROLLBACK": "",
        "SELECT a FROM p": 'ERROR: relation "p" does not exist',
        "SELECT syntax error error": "ERROR: syntax error at or near",
        "SET search_path TO t": "",
        "SELECT count(*) FROM kept": "",
    }
    shown = warehouse.batch(*sqls, mode="AUTO_COMMIT")
    for part, wanted in zip(shown["SubStatements"], sqls.values(), strict=True):
        assert part["Status"] == ("FAILED" if wanted else "FINISHED")
        assert part.get("Error", "").startswith(wanted)


def test_an_error_of_ours_in_a_batch_leaves_its_session_sound(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = warehouse.open_session()
    with monkeypatch.context() as patched:
        patched.setattr(Session, "send", mock.Mock(side_effect=ValueError("ours")))
        batch = warehouse.client.batch_execute_statement(
            Sqls=["SELECT 1", "SELECT 2"], SessionId=session.id
        )["Id"]
        assert "internal error" in warehouse.wait(batch)["Error"]
    assert session.run("SELECT 1").rows == [[1]]


def test_a_busy_session_is_gone_with_the_statement_that_a_restart_ends(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other statement runs in between: the server closes leftovers only afterwards, here never."""
    monkeypatch.setattr(Runner, "_close", lambda *_: None)
    warehouse = Warehouse(start(faults=True).url)
    session = warehouse.open_session()
    session.run("CREATE TEMP TABLE p (a INT)")
    warehouse.local("faults", sql="SELECT 7", kind="delay", seconds=60)
    running = session.submit("SELECT 7")
    warehouse.until(lambda: bool(warehouse.describe(running)["Status"] == "STARTED"))
    warehouse.local("restart")
    assert warehouse.wait(running)["Status"] == "FAILED"
    with pytest.raises(ClientError, match="Session is not available"):
        session.submit("SELECT a FROM p")
