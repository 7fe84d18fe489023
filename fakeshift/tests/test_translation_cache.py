"""Cached translations: used for every load's statements, and never for a statement other than their own.

The measure is the translator itself: what is kept, filled with names and values, is what a new
translation of the bound text would be.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fakeshift.commands import execute
from fakeshift.dialect.cache import Translations
from fakeshift.dialect.translate import Translated, translate
from fakeshift.engine.database import Database
from fakeshift.engine.session import Session
from fakeshift.engine.sink import ResultSink
from fakeshift.errors import RedshiftError
from fakeshift.sql.nodes import Query
from fakeshift.sql.parameters import bind
from hypothesis import given, settings
from hypothesis import strategies as st

from fakeshift import Settings


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = Database(Settings(data=tmp_path_factory.mktemp("translations"), port=0))
    yield made
    made.close()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """Of user ``ann``; a new schema t with three tables."""
    made = Session(database, "ann", execute)
    for schema in ("t", "u"):
        run(made, f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    run(made, "CREATE SCHEMA t")
    for name in ("stage_1", "stage_2", "target"):
        run(made, f"CREATE TABLE t.{name} (n INT, s VARCHAR(20))")
    yield made
    made.close()


def run(session: Session, sql: str, **values: str) -> list[list[Any]]:
    """The rows of a statement."""
    pages: list[dict[str, Any]] = []
    session.run(sql, values, ResultSink(lambda _, page: pages.append(page)), 1)
    records = [record for page in pages for record in page["Records"]]
    return [
        [None if "isNull" in f else next(iter(f.values())) for f in record] for record in records
    ]


def translated(kept: Translations, session: Session, sql: str, **values: str) -> Translated | str:
    """The kept translation or the error's text, after it was seen to be what a new one is."""

    def outcome(make: Any) -> Translated | str:
        try:
            return make()  # type: ignore[no-any-return]
        except RedshiftError as error:
            return str(error)

    found = outcome(lambda: kept.translate(Query(sql, values), session))
    assert found == outcome(lambda: translate(bind(sql, values), session))
    return found


LOAD = """
    INSERT INTO t.target (n, s)  -- of event_stage_{id}
    SELECT event_stage_{id}.n, CAST(:load AS VARCHAR(64))
    FROM t."EVENT_stage_{id}" JOIN t.Event_Stage_{id} AS e ON e.n = event_stage_{id}.n
    WHERE e.n BETWEEN CAST(:first AS BIGINT) AND 9 AND e.s <> 'stage_' || :load
"""


def test_a_load_takes_what_the_one_before_it_left(session: Session) -> None:
    kept = Translations()
    for load in ("20261123_203011_aed5631e_0_0", "20261123_203012_f5756d0c_1_0"):
        run(session, f"CREATE TABLE t.event_stage_{load} (LIKE t.stage_1)")
        found = translated(kept, session, LOAD.format(id=load), load=load, first="17")
        assert isinstance(found, Translated)
        assert found.sql.count(f'"event_stage_{load}"') == 5
        assert found.reads == {("t", f"event_stage_{load}")}
        assert len(kept) == 1


WITH_IDS = """
    INSERT INTO t.target (s)  -- of '{comment}'
    SELECT CAST('{load}' AS VARCHAR(64)) || '{load}' || :a FROM t.stage_1 WHERE s = '{other}' AND n = 1
"""


def test_a_quoted_id_is_a_value(session: Session) -> None:
    kept = Translations()
    for load in ("20261123-203011-aed5631e", "20261123-203012-f5756d0c"):
        other = load.replace("2030", "2031")
        sql = WITH_IDS.format(load=load, other=other, comment="a load")
        found = translated(kept, session, sql, a=load)
        assert isinstance(found, Translated)
        assert (found.sql.count(f"'{load}'"), found.sql.count(f"'{other}'")) == (3, 1)
        assert len(kept) == 1


NOT_VALUES = [
    WITH_IDS.format(load="20261123-203011-aed5631e", other="x", comment="20261123-203011-aed5631e"),
    "SELECT 'a '20261123-203011-aed5631e' b'",
    "SELECT 'a ''20261123-203011-aed5631e'' b'",
    "SELECT n AS \"'20261123-203011-aed5631e'\" FROM t.stage_1",
    "SELECT DATE '20261123-203011-aed5631e'",
    "SELECT s FROM t.stage_1 WHERE s IN (SELECT '20261123-203011-aed5631e')",
    "SELECT ':id_0', '20261123-203011-aed5631e'",
]


@pytest.mark.parametrize("sql", NOT_VALUES)
def test_an_id_elsewhere_is_what_it_was(session: Session, sql: str) -> None:
    kept = Translations()
    for _ in range(2):
        translated(kept, session, sql, a="1", id_0="2")


def test_it_is_kept_for_all_databases_of_the_process(session: Session, tmp_path: Any) -> None:
    kept, other = Translations(), Database(Settings(data=tmp_path, port=0))
    try:
        second = Session(other, "ann", execute)
        run(second, "CREATE TABLE stage_7 (n INT, s VARCHAR(20))")
        run(session, "CREATE TABLE stage_8 (n INT, s VARCHAR(20))")
        translated(kept, session, "SELECT n FROM stage_8")
        translated(kept, second, "SELECT n FROM stage_7")
        assert len(kept) == 1
        second.close()
    finally:
        run(session, "DROP TABLE stage_8")
        other.close()


SAME_AGAIN = [
    ("SELECT * FROM t.stage_1", {}),
    ("SELECT stage_1.s, count(*) FROM t.stage_1 GROUP BY 1", {}),
    ("SELECT n FROM t.stage_1 ORDER BY stage_1.n;", {}),
    ("SELECT x.n AS stage_1 FROM t.stage_1 x, t.stage_2 y WHERE x.n = y.n", {}),
    ("WITH stage_1 AS (SELECT n FROM t.stage_2) SELECT n FROM stage_1", {}),
    ("INSERT INTO t.stage_1 SELECT n, s FROM t.stage_1 WHERE s = 'stage_1'", {}),
    ("INSERT INTO t.stage_1 (s) VALUES (:a), (:b)", {"a": "stage_1", "b": "''\\'\n"}),
    ("UPDATE t.stage_1 SET s = :a, n = n + 1 WHERE n = :b", {"a": "x", "b": "1"}),
    ("DELETE FROM t.stage_1 USING t.stage_2 WHERE stage_1.n = stage_2.n", {}),
    ("SELECT 'a' || :a || 'b', :a, CAST(:a AS VARCHAR(2)), CAST(:b AS INT)", {"a": "xyz", "b": "1"}),
    ("SELECT CASE WHEN n = 1 THEN CAST(s AS INT) ELSE n / CAST(:a AS INT) END FROM t.stage_1",
     {"a": "1"}),
    ("SELECT listagg(DISTINCT s || :a, :b) WITHIN GROUP (ORDER BY s || :b) FROM t.stage_1",
     {"a": ",", "b": ","}),
    ("SELECT current_user, current_schema(), pg_backend_pid(), pg_last_query_id()", {}),
    ("SELECT has_table_privilege('t.stage_1', 'select')", {}),
    ("SELECT file_name FROM sys_load_detail WHERE query_id = pg_last_copy_id()", {}),
    ("SELECT file_name FROM sys_load_detail WHERE query_id = :a", {"a": "12"}),
    ("SELECT 1 WHERE :a = :a AND :b SIMILAR TO :a", {"a": "x%", "b": "x"}),
    ("SELECT INTERVAL '1 day', DATEADD(day, CAST(:a AS INT), GETDATE())", {"a": "1"}),
    ("SELECT t.stage_1.n FROM t.stage_1", {}),
    ("SELECT n AS \ue000, s AS \ue401 FROM t.stage_1 WHERE s = :a", {"a": "\ue400"}),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "values"), SAME_AGAIN)
def test_what_is_kept_is_what_a_new_translation_says(
    session: Session, sql: str, values: dict[str, str]
) -> None:
    kept = Translations()
    for _ in range(2):
        assert isinstance(translated(kept, session, sql, **values), Translated)
        session.last_query_id += 1
    other = sql.replace("stage_1", "stage_2")
    translated(kept, session, other, **{name: "y" + value for name, value in values.items()})


FAILING = [
    "SELECT n FROM t.stage_9",
    "SELECT n FROM nowhere.stage_1",
    "SELECT n FROM t.stage_1 WHERE",
    "SELECT n FROM t.stage_1 WHERE s = :missing",
    "SELECT n FROM :a",
    "SELECT n FROM t.stage_1; SELECT 1",
    "SELECT stage_1(n) FROM t.stage_1",
    "INSERT INTO t.stage_1 (stage_1) SELECT 1",
    "INSERT INTO t.stage_1 (n) SELECT s FROM t.stage_1",
    "SELECT 'x FROM t.stage_1",
]


@pytest.mark.parametrize("sql", FAILING)
def test_an_error_names_things_as_they_were_written(session: Session, sql: str) -> None:
    kept = Translations()
    for _ in range(2):
        found = translated(kept, session, sql, a="1")
        assert isinstance(found, str)
    assert len(kept) == 0


STATEMENTS = (
    "INSERT INTO t.stage_1 SELECT * FROM t.stage_2",
    "INSERT INTO t.stage_1 (n) VALUES (:v)",
    "UPDATE t.stage_1 SET n = CAST(:v AS INT)",
    "SELECT * FROM t.stage_1 JOIN t.stage_2 USING (n)",
    "SELECT n, stage_2.s FROM stage_2",
)
CHANGES = {
    "add a column": "ALTER TABLE t.stage_1 ADD COLUMN extra INT DEFAULT 7",
    "drop a column": "ALTER TABLE t.stage_1 DROP COLUMN s",
    "rename a column": "ALTER TABLE t.stage_1 RENAME COLUMN s TO other",
    "lengthen a column": "ALTER TABLE t.stage_1 ALTER COLUMN s TYPE VARCHAR(200)",
    "another type": "DROP TABLE t.stage_1; CREATE TABLE t.stage_1 (n VARCHAR(5), s VARCHAR(20))",
    "another order": "DROP TABLE t.stage_1; CREATE TABLE t.stage_1 (s VARCHAR(20), n INT)",
    "with an identity": "DROP TABLE t.stage_1; CREATE TABLE t.stage_1 (n INT, i INT IDENTITY(1, 1))",
    "with a default": "DROP TABLE t.stage_1; CREATE TABLE t.stage_1 (n INT, s CHAR(3) DEFAULT 'x')",
    "a view of that name": "DROP TABLE t.stage_2; CREATE VIEW t.stage_2 AS SELECT 5 AS n, 's' AS s",
    "gone": "DROP TABLE t.stage_2",
    "renamed": "ALTER TABLE t.stage_2 RENAME TO stage_3",
    "a temporary table in front": "CREATE TEMP TABLE stage_2 (n BIGINT, s CHAR(2), x INT)",
    "another search path": "CREATE SCHEMA u; CREATE TABLE u.stage_2 (n CHAR(1), s DATE); "
    "SET search_path TO u",
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_what_it_was_made_of_makes_another(session: Session, change: str) -> None:
    kept = Translations()
    run(session, "SET search_path TO t")
    before = [translated(kept, session, sql, v="1") for sql in STATEMENTS]
    for sql in CHANGES[change].split("; "):
        run(session, sql)
    after = [translated(kept, session, sql, v="1") for sql in STATEMENTS]
    assert after != before or change == "lengthen a column"  # which only text would notice
    run(session, "INSERT INTO t.target SELECT 1, 'abc'")


def test_what_stands_around_a_statement_is_no_part_of_it(session: Session) -> None:
    for sql in (
        "SELECT n FROM t.target WHERE s = :v; -- the end",
        "/* a */ SELECT :v;;",
        "(SELECT :v)",
    ):
        assert run(session, sql, v="x") in ([], [["x"]])


def test_a_table_made_anew_is_another_one_at_once(session: Session) -> None:
    """Through the session, as a statement runs: the rows are those of the current table."""
    for number, kind in enumerate(("INT", "VARCHAR(5)", "DOUBLE PRECISION", "INT")):
        run(session, "DROP TABLE IF EXISTS t.again_1")
        run(session, f"CREATE TABLE t.again_1 (n {kind}, m INT DEFAULT {number})")
        run(session, "INSERT INTO t.again_1 (n) VALUES (:n)", n="1")
        shown = run(session, "SELECT n, m, n || '|' FROM t.again_1")
        assert shown == [[{"VARCHAR(5)": "1"}.get(kind, 1), number, "1|"]]


def test_a_transactions_own_tables_are_its_own(session: Session, database: Database) -> None:
    other = Session(database, "ann", execute)
    for one, kind in ((session, "INT"), (other, "CHAR(4)")):
        run(one, "BEGIN")
        run(one, f"CREATE TABLE t.own_{'1' if one is session else '2'} (n {kind})")
        run(one, f"CREATE TEMP TABLE mine_1 (n {kind})")
    for one, shown in ((session, 7), (other, "7   ")):
        run(one, "INSERT INTO mine_1 (n) VALUES (:n)", n="7")
        assert run(one, "SELECT n FROM mine_1")[0][0] == (shown if one is session else "7")
    run(session, "ROLLBACK")
    assert "does not exist" in str(translated(Translations(), session, "SELECT n FROM t.own_1"))
    other.close()


def test_users_have_their_own_schemas_and_names(session: Session, database: Database) -> None:
    run(session, "DROP SCHEMA IF EXISTS bob CASCADE")
    run(session, "CREATE SCHEMA bob")
    run(session, "CREATE TABLE bob.mine_1 (n INT)")
    run(session, "CREATE TABLE public.mine_1 (n CHAR(3), m INT)")
    bob = Session(database, "bob", execute)
    try:
        kept = Translations()
        for sql in ("INSERT INTO mine_1 VALUES (:n)", "SELECT *, current_user FROM mine_1"):
            both = [translated(kept, one, sql, n="1") for one in (session, bob)]
            assert both[0] != both[1]
        for one in (session, bob):
            run(one, "INSERT INTO mine_1 (n) VALUES (:n)", n="1")
        assert run(bob, "SELECT n, current_user FROM mine_1") == [[1, "bob"]]
        assert run(session, "SELECT trim(n), current_user FROM mine_1") == [["1", "ann"]]
    finally:
        bob.close()
        run(session, "DROP TABLE public.mine_1")


def test_a_view_is_the_one_that_is_there(session: Session) -> None:
    kept = Translations()
    sql = "INSERT INTO t.stage_1 SELECT n, s FROM t.view_1"
    found = []
    for source in ("t.stage_1", "t.stage_2", "t.target"):
        run(session, f"CREATE OR REPLACE VIEW t.view_1 AS SELECT n, s FROM {source}")
        found.append(translated(kept, session, sql))
    reads = [one.reads for one in found if isinstance(one, Translated)]
    assert reads == [{("t", "stage_1")}, {("t", "stage_2")}, {("t", "target")}]


def test_privileges_are_asked_for_again(session: Session) -> None:
    sql = "SELECT has_table_privilege('cat', 't.stage_1', 'select')"
    kept = Translations()
    assert "does not exist" in str(translated(kept, session, sql))
    run(session, "CREATE USER cat PASSWORD DISABLE")
    assert isinstance(translated(kept, session, sql), Translated)
    run(session, "DROP USER cat")
    assert "does not exist" in str(translated(kept, session, sql))


@pytest.mark.parametrize(
    ("sql", "values", "shown"),
    [
        ("SELECT to_char(DATE '2018-11-30', :v)", ["YYYY", "DD/MM"], ["2018", "30/11"]),
        ("SELECT CAST(CAST(:v AS TIMESTAMP) AS VARCHAR(10))", ["2018-11-30", "Epoch"],
         ["2018-11-30", "1970-01-01"]),
        ("SELECT 'a_b' SIMILAR TO :v", ["a%", "a_c"], [True, False]),
        ("SELECT CAST(:v AS VARCHAR(3))", ["ab", "abcd", "äöü"], ["ab", "abc", "ä"]),
        ("SELECT date_part(:v, DATE '2018-11-30')", ["year", "day"], [2018.0, 30.0]),
        ("SELECT json_extract_path_text('{\"a\": \"1\", \"b\": \"2\"}', :v)", ["a", "b"], ["1", "2"]),
        ("SELECT sum(n) FROM t.target WHERE s = :v", ["a", "b"], [1, 5]),
    ],
)  # fmt: skip
def test_values_that_decide_how_it_is_translated_do(
    session: Session, sql: str, values: list[str], shown: list[Any]
) -> None:
    run(session, "INSERT INTO t.target VALUES (1, 'a'), (2, 'b'), (3, 'b')")
    assert [run(session, sql, v=value)[0][0] for value in values] == shown
    assert [run(session, sql, v=value)[0][0] for value in reversed(values)] == shown[::-1]


@settings(max_examples=60, deadline=None, database=None)
@given(value=st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text))
def test_any_value_arrives_as_it_was_given(database: Database, value: str) -> None:
    session = Session(database, "ann", execute)
    try:
        value = value.encode(errors="ignore").decode() or "x"
        assert run(session, "SELECT :v, 'a' || :v", v=value) == [[value, "a" + value]]
    finally:
        session.close()


def test_no_more_is_kept_than_allowed(session: Session) -> None:
    kept = Translations(characters=2000)  # of about 70 each
    for number in range(40):
        translated(kept, session, f"SELECT {number} FROM t.stage_1")
    assert 10 < len(kept) < 30
    for number in range(40):
        translated(kept, session, "SELECT to_char(DATE '2018-11-30', :v)", v=f'"{number}"YYYY')
    assert len(kept) < 30


def test_threads_share_it(session: Session, database: Database) -> None:
    kept, wrong = Translations(), []

    def work(number: int) -> None:
        own = Session(database, f"user{number}", execute)
        for turn in range(12):
            sql = f"INSERT INTO t.stage_{turn % 2 + 1} SELECT n, current_user FROM t.stage_{number}"
            try:
                translated(kept, own, sql)
            except AssertionError as error:
                wrong.append(error)
        own.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
