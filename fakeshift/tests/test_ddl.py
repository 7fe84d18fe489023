"""DDL, the catalogue, views, privileges, DML into typed columns.

``dg/`` is https://docs.aws.amazon.com/redshift/latest/dg/.
"""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Start
from warehouse import Warehouse

FULL = """
CREATE TABLE IF NOT EXISTS t.full_table (
    id BIGINT IDENTITY(0, 1) NOT NULL DISTKEY,
    name VARCHAR(256) ENCODE zstd NOT NULL DEFAULT 'nobody',
    at TIMESTAMP WITHOUT TIME ZONE DEFAULT SYSDATE SORTKEY,
    price NUMERIC(8, 2) ENCODE az64,
    flag BOOLEAN DEFAULT true,
    kind CHAR(3),
    note CHARACTER VARYING(10) UNIQUE,
    other INT REFERENCES t.parent (id),
    PRIMARY KEY (id),
    FOREIGN KEY (other) REFERENCES t.parent (id)
) DISTSTYLE KEY
"""


def test_create_table_with_every_attribute(warehouse: Warehouse) -> None:
    """dg/r_CREATE_TABLE_NEW.html; keys are informational"""
    warehouse.run(FULL)
    warehouse.run(FULL)
    assert warehouse.rows(
        "SELECT column_name, data_type, character_maximum_length, numeric_precision, is_nullable "
        "FROM svv_columns WHERE table_name = 'full_table' AND table_schema = 't' "
        "ORDER BY ordinal_position"
    ) == [
        ["id", "bigint", None, 64, "NO"],
        ["name", "character varying", 256, None, "NO"],
        ["at", "timestamp without time zone", None, None, "YES"],
        ["price", "numeric", None, 8, "YES"],
        ["flag", "boolean", None, None, "YES"],
        ["kind", "character", 3, None, "YES"],
        ["note", "character varying", 10, None, "YES"],
        ["other", "integer", None, 32, "YES"],
    ]
    shown = warehouse.batch(
        "SET search_path TO t",
        'SELECT "column", type, encoding, distkey, sortkey, "notnull" FROM pg_table_def '
        "WHERE tablename = 'full_table'",
    )
    rows = warehouse.result(shown["SubStatements"][1]).rows
    assert rows[0] == ["id", "bigint", "none", True, 0, True]
    assert rows[1] == ["name", "character varying(256)", "zstd", False, 0, True]
    assert rows[2][4] == 1
    for _ in range(2):
        warehouse.run("INSERT INTO t.full_table (note) VALUES ('same')")
    rows = warehouse.rows("SELECT name, flag, note, at IS NULL FROM t.full_table")
    assert rows == [["nobody", True, "same", False]] * 2


def test_identities_are_unique_and_leave_gaps(warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE t.i (id BIGINT IDENTITY(1, 1), a INT)")
    warehouse.run("INSERT INTO t.i (a) VALUES (1), (2), (3)")
    warehouse.run("INSERT INTO t.i (a) SELECT a FROM t.i")
    ids = [row[0] for row in warehouse.rows("SELECT id FROM t.i ORDER BY id")]
    assert len(set(ids)) == 6
    assert ids != list(range(1, 7))
    assert warehouse.error("INSERT INTO t.i (id, a) VALUES (1, 1)") == (
        "ERROR: cannot set an identity column to a value"
    )


def test_create_table_like(warehouse: Warehouse) -> None:
    """Defaults only INCLUDING DEFAULTS; keys never; a view is no parent."""
    warehouse.run("CREATE TABLE t.p (a INT NOT NULL PRIMARY KEY, b VARCHAR(3) DEFAULT 'x')")
    warehouse.run("CREATE TABLE t.without (LIKE t.p)")
    warehouse.run("CREATE TABLE t.with_them (LIKE t.p INCLUDING DEFAULTS)")
    for table in ("without", "with_them"):
        warehouse.run(f"INSERT INTO t.{table} (a) VALUES (1)")
    assert warehouse.value("SELECT b FROM t.without") is None
    assert warehouse.value("SELECT b FROM t.with_them") == "x"
    assert "Cannot insert a NULL value into column a" in warehouse.error(
        "INSERT INTO t.without (b) VALUES ('y')"
    )
    warehouse.run("CREATE VIEW t.v AS SELECT a FROM t.p")
    assert warehouse.error("CREATE TABLE t.x (LIKE t.v)") == (
        'ERROR: inherited relation "v" is not a table'
    )


def test_create_table_as(warehouse: Warehouse) -> None:
    """dg/r_CREATE_TABLE_AS.html"""
    warehouse.run("CREATE TABLE t.c (x, y) DISTSTYLE EVEN AS SELECT 1 AS a, 'b'::varchar(3) AS b")
    assert warehouse.run("SELECT * FROM t.c").names == ["x", "y"]
    warehouse.run("INSERT INTO t.c VALUES (2, 'd')")
    assert warehouse.value("SELECT count(*) FROM t.c") == 2


DDL_ERRORS = [
    ("CREATE TABLE t.a (x INT)", 'ERROR: Relation "a" already exists'),
    ("CREATE SCHEMA t", 'ERROR: schema "t" already exists'),
    ("CREATE TABLE nowhere.a (x INT)", 'ERROR: schema "nowhere" does not exist'),
    ("DROP TABLE t.nothing", 'ERROR: Table "t.nothing" does not exist'),
    ("DROP SCHEMA nothing", 'ERROR: schema "nothing" does not exist'),
    ("DROP TABLE t.v", 'ERROR: "v" is not a table'),
    ("DROP TABLE t.a", "ERROR: cannot drop table a because other objects depend on it"),
    ("DROP SCHEMA t", "ERROR: cannot drop schema t because other objects depend on it"),
    ("CREATE TABLE t.b (x NOTYPE)", 'ERROR: type "notype" does not exist'),
    ("CREATE TABLE t.b (x VARCHAR(70000))", "ERROR: length for type varchar cannot exceed 65535"),
    ("CREATE TABLE t.b (x INT, x INT)", 'ERROR: column "x" specified more than once'),
    ("CREATE TABLE t.b (x INT) SORTKEY (y)", 'ERROR: column "y" named in key does not exist'),
    ("CREATE TABLE t.b (x INT ENCODE gzip)", "ERROR: invalid encoding type specified for column"),
    ("CREATE TABLE t.b (x INT) DISTSTYLE KEY", "ERROR: DISTKEY column must be specified"),
    ("CREATE TABLE t.b (x VARCHAR(5) IDENTITY(1,1))", 'ERROR: identity column "x" must be of type'),
    ("CREATE TABLE t.b (x INT DEFAULT y)", "ERROR: cannot use column references in default"),
    ("CREATE TABLE t.b (x INT) PARTITION BY x", 'ERROR: syntax error at or near "PARTITION"'),
    ("CREATE MATERIALIZED VIEW t.m AS SELECT 1", "ERROR: CREATE MATERIALIZED is not supported"),
    ("ALTER TABLE t.a ADD COLUMN x INT", 'ERROR: column "x" of relation "a" already exists'),
    ("ALTER TABLE t.a ADD COLUMN y INT NOT NULL", "must have a non-null default expression"),
    ("ALTER TABLE t.a DROP COLUMN y", 'ERROR: column "y" of relation "a" does not exist'),
    ("ALTER TABLE t.a APPEND FROM t.v", "ALTER TABLE APPEND requires permanent tables"),
    ("ALTER TABLE t.a OWNER TO nobody", 'ERROR: user "nobody" does not exist'),
    ("GRANT SELECT ON t.a TO nobody", 'ERROR: user "nobody" does not exist'),
    ("GRANT USAGE ON t.a TO PUBLIC", "ERROR: invalid privilege type USAGE for relation"),
    ("GRANT FLY ON t.a TO PUBLIC", "ERROR: privilege FLY is not supported"),
    ("LOCK t.v", 'ERROR: "v" is not a table'),
    ("LOCK t.nothing", 'ERROR: relation "t.nothing" does not exist'),
    ("LOCK nowhere.a", 'ERROR: schema "nowhere" does not exist'),
    ("INSERT INTO t.v VALUES (1)", "ERROR: cannot insert into a view"),
    ("SET nothing TO 1", 'ERROR: unrecognized configuration parameter "nothing"'),
    ("SET timezone TO 'Europe/Oslo'", "ERROR: SET timezone TO Europe/Oslo is not supported"),
    ("COMMENT ON COLUMN t.a.nothing IS 'x'", 'ERROR: column "nothing" of relation "a"'),
    ("EXPLAIN VERBOSE SELECT 1", "ERROR: EXPLAIN VERBOSE is not supported by the local Redshift"),
    ("ANALYZE t.nothing", 'ERROR: relation "t.nothing" does not exist'),
]


@pytest.fixture(scope="module")
def made(module_server: Any) -> Warehouse:
    warehouse = Warehouse(module_server.url)
    warehouse.batch(
        "DROP SCHEMA IF EXISTS t CASCADE", "CREATE SCHEMA t", "CREATE TABLE t.a (x INT)",
        "CREATE VIEW t.v AS SELECT x FROM t.a",
    )  # fmt: skip
    return warehouse


@pytest.mark.parametrize(("sql", "error"), DDL_ERRORS, ids=[sql for sql, _ in DDL_ERRORS])
def test_ddl_error(made: Warehouse, sql: str, error: str) -> None:
    assert error in made.error(sql)


ACCEPTED = [
    "CREATE TABLE IF NOT EXISTS t.a (other INT)",
    'CREATE SCHEMA IF NOT EXISTS t AUTHORIZATION "IAM:AKIATEST" QUOTA 10 GB',
    "DROP TABLE IF EXISTS t.nothing CASCADE",
    "ANALYZE t.a PREDICATE COLUMNS",
    "COMMENT ON TABLE t.a IS 'what it is'",
    "COMMENT ON COLUMN t.a.x IS 'a column'",
    "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA t TO PUBLIC",
    "GRANT USAGE ON SCHEMA t TO PUBLIC",
    "REVOKE ALL ON t.a FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA t GRANT SELECT ON TABLES TO PUBLIC",
    "SET statement_timeout TO 1000",
    "SET query_group TO 'load'",
    "SHOW search_path",
    "VACUUM FULL t.a TO 99 PERCENT",
]


@pytest.mark.parametrize("sql", ACCEPTED)
def test_accepted(made: Warehouse, sql: str) -> None:
    made.run(sql)


def test_alter_table(warehouse: Warehouse) -> None:
    """dg/r_ALTER_TABLE.html"""
    warehouse.batch("CREATE TABLE t.a (x INT, s VARCHAR(3))", "INSERT INTO t.a VALUES (1, 'abc')")
    warehouse.run("ALTER TABLE t.a ADD COLUMN y VARCHAR(5) DEFAULT 'new' ENCODE zstd")
    warehouse.run("ALTER TABLE t.a ADD z INT NOT NULL DEFAULT 7")
    warehouse.run("INSERT INTO t.a (x) VALUES (2)")
    assert warehouse.rows("SELECT x, y, z FROM t.a ORDER BY x") == [[1, "new", 7], [2, "new", 7]]
    warehouse.run("ALTER TABLE t.a RENAME COLUMN y TO why")
    warehouse.run("ALTER TABLE t.a DROP COLUMN z")
    warehouse.run("ALTER TABLE t.a ALTER COLUMN s TYPE VARCHAR(10)")
    warehouse.run("UPDATE t.a SET s = 'abcdefghij'")
    warehouse.run("ALTER TABLE t.a RENAME TO b")
    assert warehouse.run("SELECT * FROM t.b").names == ["x", "s", "why"]
    shown = warehouse.batch("ALTER TABLE t.b ALTER COLUMN s TYPE VARCHAR(20)")
    assert "cannot run inside a transaction block" in shown["Error"]


def test_views(warehouse: Warehouse) -> None:
    """dg/r_CREATE_VIEW.html"""
    warehouse.batch("CREATE TABLE t.a (x INT, y INT)", "INSERT INTO t.a VALUES (1, 2), (3, 4)")
    warehouse.run("CREATE VIEW t.v AS SELECT x + y AS total FROM t.a WHERE x > 1")
    assert warehouse.rows("SELECT v.total FROM t.v WHERE total = 7") == [[7]]
    warehouse.run("CREATE OR REPLACE VIEW t.v AS SELECT x + y AS total, x FROM t.a")
    warehouse.run("CREATE VIEW t.w AS SELECT MAX(total) AS most FROM t.v")
    assert warehouse.value("SELECT most FROM t.w") == 7
    assert "cannot drop columns from view" in warehouse.error(
        "CREATE OR REPLACE VIEW t.v AS SELECT x AS total FROM t.a"
    )
    warehouse.run("DROP TABLE t.a CASCADE")
    assert warehouse.error("SELECT * FROM t.w") == 'ERROR: relation "t.w" does not exist'


def test_late_binding_views(warehouse: Warehouse) -> None:
    """WITH NO SCHEMA BINDING: the table may come later, and go"""
    warehouse.run("CREATE VIEW t.late AS SELECT x FROM t.to_come WITH NO SCHEMA BINDING")
    assert warehouse.error("SELECT * FROM t.late") == 'ERROR: relation "t.to_come" does not exist'
    warehouse.batch("CREATE TABLE t.to_come (x INT)", "INSERT INTO t.to_come VALUES (5)")
    assert warehouse.value("SELECT x FROM t.late") == 5
    warehouse.run("DROP TABLE t.to_come")
    assert "should be qualified" in warehouse.error(
        "CREATE VIEW t.bad AS SELECT x FROM unqualified WITH NO SCHEMA BINDING"
    )


DML = [
    # (statement, error): storing into typed columns
    ("INSERT INTO t.d (s) VALUES ('abcdef')", "value too long for type character varying(5)"),
    ("INSERT INTO t.d (s) VALUES ('éééé')", "value too long for type character varying(5)"),
    ("INSERT INTO t.d (c) VALUES ('abc')", "value too long for type character(2)"),
    ("UPDATE t.d SET s = s || 'xxxxx'", "value too long for type character varying(5)"),
    ("INSERT INTO t.d (n) VALUES (NULL)", "Cannot insert a NULL value into column n"),
    ("INSERT INTO t.d (n, s) VALUES (1)", "INSERT has more target columns than expressions"),
    ("INSERT INTO t.d (n) VALUES (1, 2)", "INSERT has more expressions than target columns"),
    ("INSERT INTO t.d (nothing) VALUES (1)", 'column "nothing" of relation "d" does not exist'),
    ("INSERT INTO t.d (n, n) VALUES (1, 2)", 'column "n" specified more than once'),
    ("INSERT INTO t.d (n) SELECT s FROM t.d", 'column "n" is of type integer but expression is'),
    ("INSERT INTO t.d (n) VALUES (3000000000)", "Value out of range for 4 bytes."),
    ("INSERT INTO t.d (n) VALUES ('x')", "Invalid digit, Value 'x', Pos 0, Type: Integer"),
    ("UPDATE t.d SET nothing = 1", 'column "nothing" of relation "d" does not exist'),
]


@pytest.fixture(scope="module")
def typed(module_server: Any) -> Warehouse:
    warehouse = Warehouse(module_server.url)
    warehouse.batch(
        "DROP SCHEMA IF EXISTS t CASCADE", "CREATE SCHEMA t",
        "CREATE TABLE t.d (n INT NOT NULL DEFAULT 0, s VARCHAR(5), c CHAR(2), b BIGINT)",
        "INSERT INTO t.d VALUES (1, 'abc', 'x', 5)",
    )  # fmt: skip
    return warehouse


@pytest.mark.parametrize(("sql", "error"), DML, ids=[sql for sql, _ in DML])
def test_dml_error(typed: Warehouse, sql: str, error: str) -> None:
    assert error in typed.error(sql)


def test_dml(warehouse: Warehouse) -> None:
    """dg/r_INSERT_30.html, r_UPDATE.html, r_DELETE.html"""
    warehouse.run("CREATE TABLE t.d (n INT DEFAULT 9, s VARCHAR(5), b BIGINT)")
    warehouse.run("CREATE TABLE t.u (n INT, s VARCHAR(5))")
    warehouse.run("INSERT INTO t.d VALUES (1, 'a', 1), (DEFAULT, 'b   ', 2)")
    warehouse.run("INSERT INTO t.d DEFAULT VALUES")
    warehouse.run("INSERT INTO t.d (s, n) SELECT 'c', '4'")
    warehouse.run("INSERT INTO t.d SELECT * FROM t.d WHERE n = 4")
    warehouse.run("INSERT INTO t.d (n) WITH w AS (SELECT 7 AS x) SELECT x FROM w")
    warehouse.run("INSERT INTO t.u VALUES (1, 'new')")
    warehouse.run("UPDATE t.d SET s = u.s, b = DEFAULT FROM t.u u WHERE t.d.n = u.n")
    warehouse.run("DELETE FROM t.d USING t.u WHERE t.d.n > 8 AND u.n = 1")
    assert warehouse.rows("SELECT n, s, b FROM t.d ORDER BY n, s") == [
        [1, "new", None], [4, "c", None], [4, "c", None], [7, None, None]
    ]  # fmt: skip


def test_catalogue_views(warehouse: Warehouse) -> None:
    warehouse.batch("CREATE TABLE t.a (x INT)", "CREATE VIEW t.v AS SELECT x FROM t.a")
    for view in ("svv_tables", "information_schema.tables"):
        rows = warehouse.rows(
            f"SELECT table_name, table_type FROM {view} WHERE table_schema = 't' ORDER BY 1"
        )
        assert rows == [["a", "BASE TABLE"], ["v", "VIEW"]]
    assert (
        warehouse.value("SELECT count(*) FROM information_schema.columns WHERE table_schema = 't'")
        == 2
    )
    assert warehouse.value("SELECT count(*) FROM pg_tables WHERE schemaname = 't'") == 1


def test_query_history_is_ones_own(warehouse: Warehouse) -> None:
    """dg/SYS_QUERY_HISTORY.html"""
    query = warehouse.run("SELECT 42 AS answer").query_id
    sql = (
        "SELECT TRIM(query_text), status, query_type, returned_rows FROM sys_query_history "
        f"WHERE query_id = {query}"
    )
    assert warehouse.rows(sql) == [["SELECT 42 AS answer", "success", "SELECT", 1]]
    assert Warehouse(warehouse.url, "AKIAOTHER").rows(sql) == []


def test_privileges_count_once_there_is_an_admin(start: Start) -> None:
    """What ``--admin`` turns on; without it everybody may do everything."""
    server = start(admins=frozenset({"ROOT"}), principals={"ROOT": "admin", "L": "IAMR:loader"})
    admin, loader = Warehouse(server.url, "ROOT"), Warehouse(server.url, "L")
    assert loader.error("CREATE SCHEMA mine") == "ERROR: permission denied for database dev"
    admin.run('CREATE SCHEMA s AUTHORIZATION "IAMR:loader"')
    loader.run("CREATE TABLE s.a (x INT)")
    reader = Warehouse(server.url, "AKIAREADER")
    assert reader.error("SELECT * FROM s.a") == "ERROR: permission denied for schema s"
    loader.run('GRANT USAGE ON SCHEMA s TO "IAM:AKIAREADER"')
    assert reader.error("SELECT * FROM s.a") == "ERROR: permission denied for relation a"
    loader.run('GRANT SELECT ON s.a TO "IAM:AKIAREADER"')
    assert reader.rows("SELECT * FROM s.a") == []
    assert reader.error("INSERT INTO s.a VALUES (1)") == ("ERROR: permission denied for relation a")
    assert reader.error("DROP TABLE s.a") == "ERROR: must be owner of relation a"
    assert reader.value("SELECT has_table_privilege('s.a', 'insert')") is False
    assert reader.value("SELECT has_schema_privilege('s', 'usage')") is True
    loader.run("ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO PUBLIC")
    loader.run("CREATE TABLE s.b (x INT)")
    assert reader.rows("SELECT * FROM s.b") == []
    assert admin.rows("SELECT * FROM s.a") == []
    assert [row[0] for row in reader.rows("SELECT table_name FROM svv_tables ORDER BY 1")] == [
        "a", "b"
    ]  # fmt: skip


_DEFAULTS = 'ALTER DEFAULT PRIVILEGES FOR USER "IAMR:loader" IN SCHEMA s'


@pytest.fixture
def staffed(start: Start) -> tuple[Warehouse, Warehouse, Warehouse]:
    """An admin, the owner of two schemas, and an analyst who may read the first."""
    users = {"ROOT": "admin", "L": "IAMR:loader", "N": "IAMR:analyst"}
    server = start(admins=frozenset({"ROOT"}), principals=users)
    admin, owner, analyst = (Warehouse(server.url, key) for key in users)
    for sql in (
        'CREATE USER "IAMR:loader" PASSWORD DISABLE',
        'CREATE USER "IAMR:analyst" PASSWORD DISABLE',
        'CREATE GROUP analysts WITH USER "IAMR:analyst"',
        'CREATE SCHEMA IF NOT EXISTS s AUTHORIZATION "IAMR:loader"',
        'CREATE SCHEMA IF NOT EXISTS own AUTHORIZATION "IAMR:loader"',
        "GRANT USAGE ON SCHEMA s TO GROUP analysts",
        f"{_DEFAULTS} GRANT SELECT ON TABLES TO GROUP analysts",
    ):
        admin.run(sql)
    owner.run("CREATE TABLE s.f (a INT)")
    owner.run("CREATE TABLE own.mutex (a INT)")
    owner.run("GRANT SELECT ON own.mutex TO GROUP analysts")
    return admin, owner, analyst


def test_select_is_nothing_without_usage_of_the_schema(
    staffed: tuple[Warehouse, Warehouse, Warehouse],
) -> None:
    """dg/r_Schemas_and_tables-schema-based-privileges.html: "Unless they are granted the USAGE
    permission by the object owner, users cannot access any objects in schemas they do not own."
    """
    _, _, analyst = staffed
    assert analyst.rows("SELECT * FROM s.f") == []
    for sql in (
        "SELECT * FROM own.mutex", "EXPLAIN SELECT * FROM own.mutex", "LOCK own.mutex",
        "SELECT * FROM own.nothing", "INSERT INTO own.mutex VALUES (1)", "DROP TABLE own.mutex",
        "SELECT * FROM s.f JOIN own.mutex ON true", "CREATE TABLE own.mine (a INT)",
    ):  # fmt: skip
        assert analyst.error(sql) == "ERROR: permission denied for schema own"


def test_a_view_is_read_with_the_right_to_the_view(
    staffed: tuple[Warehouse, Warehouse, Warehouse],
) -> None:
    """No "select privileges for the underlying tables" are needed: dg/r_CREATE_VIEW.html"""
    _, owner, analyst = staffed
    owner.run("CREATE VIEW s.v AS SELECT a FROM own.mutex")
    assert analyst.rows("SELECT * FROM s.v") == []
    owner.run("REVOKE SELECT ON s.v FROM GROUP analysts")
    assert analyst.error("SELECT * FROM s.v") == "ERROR: permission denied for relation v"
    assert analyst.error("EXPLAIN SELECT * FROM s.v") == "ERROR: permission denied for relation v"


def test_explain_needs_the_rights_of_its_statement(
    staffed: tuple[Warehouse, Warehouse, Warehouse],
) -> None:
    _, owner, analyst = staffed
    for sql in ("INSERT INTO s.f VALUES (1)", "UPDATE s.f SET a = 1", "DELETE FROM s.f"):
        assert analyst.error(f"EXPLAIN {sql}") == "ERROR: permission denied for relation f"
        owner.run(f"EXPLAIN {sql}")
    create = "EXPLAIN CREATE TABLE s.n AS SELECT a FROM s.f"
    assert analyst.error(create) == "ERROR: permission denied for schema s"
    owner.run(create)


def test_who_owns_or_may_anything_is_not_dropped(
    staffed: tuple[Warehouse, Warehouse, Warehouse],
) -> None:
    """dg/r_DROP_USER.html, r_DROP_GROUP.html"""
    admin, _, _ = staffed
    held = "because the user has a privilege on some object"
    owns = 'user "IAMR:loader" cannot be dropped because the user owns some object'
    assert admin.error('DROP USER "IAMR:loader"') == f"ERROR: {owns}"
    admin.run('GRANT CREATE ON DATABASE dev TO "IAMR:analyst"')
    error = admin.error('DROP USER "IAMR:analyst"')
    assert error == f'ERROR: user "IAMR:analyst" cannot be dropped {held}'
    admin.run('REVOKE ALL ON DATABASE dev FROM "IAMR:analyst"')
    admin.run('DROP USER "IAMR:analyst"')
    of_group = f'ERROR: group "analysts" cannot be dropped {held.replace("user", "group")}'
    for revoke in (
        "REVOKE ALL ON SCHEMA s FROM GROUP analysts",
        "REVOKE ALL ON ALL TABLES IN SCHEMA s FROM GROUP analysts",
        "REVOKE ALL ON own.mutex FROM GROUP analysts",
        f"{_DEFAULTS} REVOKE ALL ON TABLES FROM GROUP analysts",
    ):
        assert admin.error("DROP GROUP analysts") == of_group
        admin.run(revoke)
    admin.run("DROP GROUP analysts")
