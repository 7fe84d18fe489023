"""The catalogue of PostgreSQL as drivers and tools read it: tables, columns, keys, views and functions.

https://www.postgresql.org/docs/8.0/catalogs.html with Redshift's columns; ``test_tools.py`` has the tools.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from warehouse import Warehouse

from fakeshift import LocalRedshift, Settings

SCHEMA = (
    (
        "CREATE TABLE t.artists (id INT NOT NULL, name VARCHAR(20) DEFAULT 'x' ENCODE zstd, PRIMARY KEY (id))"
        " DISTSTYLE KEY DISTKEY (id) SORTKEY (name)"
    ),
    (
        "CREATE TABLE t.songs (id BIGINT IDENTITY(1,1), artist INT, title CHAR(9), price NUMERIC(9,2),"
        " UNIQUE (title), CONSTRAINT by_artist FOREIGN KEY (artist) REFERENCES t.artists (id))"
    ),
    "CREATE VIEW t.names AS SELECT name FROM t.artists",
    "CREATE VIEW t.late AS SELECT title FROM t.songs WITH NO SCHEMA BINDING",
    "COMMENT ON TABLE t.artists IS 'who sings'",
    "COMMENT ON COLUMN t.artists.name IS 'on stage'",
)
OF_T = "JOIN pg_namespace n ON n.oid = relnamespace AND n.nspname = 't'"
CASES: list[tuple[str, list[list[Any]]]] = [
    (
        (
            f"SELECT relname, relkind, relnatts, reldiststyle, relhaspkey, relhasindex FROM pg_class {OF_T}"
            " ORDER BY 1"
        ),
        [
            ["artists", "r", 2, 1, True, True],
            ["artists_pkey", "i", 1, 0, False, False],
            ["late", "v", 0, 0, False, False],
            ["names", "v", 1, 0, False, False],
            ["songs", "r", 4, 10, False, True],
            ["songs_title_key", "i", 1, 0, False, False],
        ],
    ),
    (
        (
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull, atthasdef, attisdistkey,"
            " attsortkeyord, format_encoding(attencodingtype::integer) FROM pg_attribute"
            " WHERE attrelid = 't.artists'::regclass AND attnum > 0 ORDER BY attnum"
        ),
        [
            ["id", "integer", True, False, True, 0, "none"],
            ["name", "character varying(20)", False, True, False, 1, "zstd"],
        ],
    ),
    (
        (
            "SELECT attname, format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid)"
            " FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
            " WHERE attrelid = 't.songs'::regclass ORDER BY attnum"
        ),
        [
            ["id", "bigint", "<identity>"],
            ["artist", "integer", None],
            ["title", "character(9)", None],
            ["price", "numeric(9,2)", None],
        ],
    ),
    (
        (
            "SELECT conname, contype, conrelid::regclass, pg_get_constraintdef(c.oid), conkey[1]"
            " FROM pg_constraint c JOIN pg_namespace n ON n.oid = connamespace AND nspname = 't'"
            " ORDER BY 1"
        ),
        [
            ["artists_pkey", "p", "t.artists", "PRIMARY KEY (id)", 1],
            ["by_artist", "f", "t.songs", "FOREIGN KEY (artist) REFERENCES t.artists(id)", 2],
            ["songs_title_key", "u", "t.songs", "UNIQUE (title)", 3],
        ],
    ),
    (
        (
            "SELECT a.attname, f.attname FROM pg_constraint c"
            " JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = ANY (conkey)"
            " JOIN pg_attribute f ON f.attrelid = confrelid AND f.attnum = ANY (confkey)"
            " WHERE conname = 'by_artist'"
        ),
        [["artist", "id"]],
    ),
    (
        (
            "SELECT ci.relname, indisprimary, indisunique, indkey[0], pg_get_indexdef(indexrelid)"
            " FROM pg_index JOIN pg_class ci ON ci.oid = indexrelid WHERE indrelid = 't.artists'::regclass"
        ),
        [
            [
                "artists_pkey",
                True,
                True,
                1,
                "CREATE UNIQUE INDEX artists_pkey ON t.artists USING btree (id)",
            ]
        ],
    ),
    (
        (
            "SELECT v.relname, r.relname FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid"
            " JOIN pg_class v ON v.oid = w.ev_class JOIN pg_class r ON r.oid = d.refobjid"
            " WHERE d.deptype = 'n' ORDER BY 1"
        ),
        [["names", "artists"]],
    ),
    (
        (
            "SELECT TRIM(TRAILING ';' FROM pg_get_viewdef('t.names')), pg_get_viewdef(oid, true)"
            " FROM pg_class WHERE relname = 'late'"
        ),
        [
            [
                ' SELECT "name" FROM "t"."artists"',
                "CREATE VIEW t.late AS SELECT title FROM t.songs WITH NO SCHEMA BINDING;",
            ]
        ],
    ),
    (
        (
            "SELECT obj_description(oid, 'pg_class'), col_description(oid, 2), obj_description(oid),"
            " pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'artists'"
        ),
        [["who sings", "on stage", "who sings", "IAM:AKIATEST"]],
    ),
    (
        "SELECT description FROM pg_description WHERE classoid = 'pg_class'::regclass ORDER BY 1",
        [["on stage"], ["who sings"]],
    ),
    (
        (
            "SELECT * FROM pg_get_late_binding_view_cols()"
            " cols(view_schema name, view_name name, col_name name, col_type varchar, col_num int)"
        ),
        [["t", "late", "title", "character(9)", 1]],
    ),
    (
        (
            "SELECT typname, typlen, typtype, format_type(oid, NULL), format_type(typelem, -1) FROM pg_type"
            " WHERE typname IN ('int4', '_varchar', 'super') ORDER BY 1"
        ),
        [
            ["_varchar", -1, "b", "character varying[]", "character varying"],
            ["int4", 4, "b", "integer", "???"],
            ["super", -1, "b", "super", "???"],
        ],
    ),
    (
        (
            "SELECT 1043::regtype::text, 'int4'::regtype::oid, 't.songs'::regclass IS NULL,"
            " pg_table_is_visible(('t.songs'::regclass)::oid), pg_table_is_visible('pg_class'::regclass::oid)"
        ),
        [["character varying", 23, False, False, True]],
    ),
    (
        (
            "SELECT relname FROM pg_catalog.pg_class c WHERE c.relname OPERATOR(pg_catalog.~) '^(song.*)$'"
            " COLLATE pg_catalog.default AND relkind = 'r'::pg_catalog.\"char\""
        ),
        [["songs"]],
    ),
    (
        (
            "SELECT array_to_string(ARRAY(SELECT attname FROM pg_attribute"
            " WHERE attrelid = 't.artists'::regclass ORDER BY attnum), E',\\n'),"
            " array_upper(current_schemas(true), 1)"
        ),
        [["id,\nname", 2]],
    ),
    (
        (
            "SELECT constraint_name, column_name, ordinal_position, position_in_unique_constraint"
            " FROM information_schema.key_column_usage WHERE table_schema = 't' ORDER BY 1"
        ),
        [
            ["artists_pkey", "id", 1, None],
            ["by_artist", "artist", 1, 1],
            ["songs_title_key", "title", 1, None],
        ],
    ),
    (
        (
            "SELECT table_name, constraint_type FROM information_schema.table_constraints"
            " WHERE constraint_schema = 't' ORDER BY 1, 2"
        ),
        [["artists", "PRIMARY KEY"], ["songs", "FOREIGN KEY"], ["songs", "UNIQUE"]],
    ),
    (
        (
            "SELECT table_name, column_name FROM information_schema.constraint_column_usage"
            " WHERE constraint_name = 'by_artist'"
        ),
        [["artists", "id"]],
    ),
    (
        (
            "SELECT unique_constraint_name FROM information_schema.referential_constraints"
            " WHERE constraint_name = 'by_artist'"
        ),
        [["artists_pkey"]],
    ),
    (
        (
            "SELECT table_name, is_updatable FROM information_schema.views WHERE table_schema = 't'"
            " ORDER BY 1"
        ),
        [["late", "NO"], ["names", "NO"]],
    ),
    ("SELECT datname, pg_encoding_to_char(encoding) FROM pg_database", [["dev", "UNICODE"]]),
    (
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1",
        [["information_schema"], ["public"], ["t"]],
    ),
    ("SELECT catalog_name FROM information_schema.information_schema_catalog_name", [["dev"]]),
    (
        (
            "SELECT table_name, constraint_name FROM information_schema.constraint_table_usage"
            " WHERE table_schema = 't' ORDER BY 2"
        ),
        [["artists", "artists_pkey"], ["artists", "by_artist"], ["songs", "songs_title_key"]],
    ),
    (
        "SELECT udt_name FROM information_schema.column_udt_usage WHERE table_name = 'artists'",
        [["int4"], ["varchar"]],
    ),
    ("SELECT COUNT(*) FROM svv_external_columns", [[0]]),
    ("SELECT COUNT(*) FROM pg_proc", [[0]]),
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with LocalRedshift(Settings(data=tmp_path_factory.mktemp("catalogue"), port=0)) as server:
        made = Warehouse(server.url)
        made.make_schema()
        for statement in SCHEMA:
            made.run(statement)
        yield made


@pytest.mark.parametrize(("sql", "rows"), CASES)
def test_the_catalogue(filled: Warehouse, sql: str, rows: list[list[Any]]) -> None:
    found = filled.rows(sql)
    for row in found:
        row[:] = ["<identity>" if str(cell).startswith('"identity"') else cell for cell in row]
    assert found == rows


def test_the_catalogue_is_of_the_leader_node(filled: Warehouse) -> None:
    """Its functions are not there in a query that also reads a table."""
    error = filled.error("SELECT pg_get_userbyid(id) FROM t.artists")
    assert "does not exist" in error or "not supported" in error


def test_parameters_may_be_in_subqueries_of_the_catalogue(filled: Warehouse) -> None:
    """awswrangler asks so, on clusters: the restriction is of queries over tables."""
    sql = "SELECT TRUE WHERE EXISTS (SELECT * FROM information_schema.tables WHERE table_name = :name)"
    assert filled.rows(sql, name="songs") == [[True]]
    error = filled.error(
        "SELECT TRUE WHERE EXISTS (SELECT * FROM t.songs WHERE title = :name)", name="x"
    )
    assert "correlated subquery" in error


def test_temporary_tables_are_in_the_catalogue_of_their_session(filled: Warehouse) -> None:
    session = filled.open_session()
    session.run("CREATE TEMP TABLE songs (i INT)")
    of_t, (temporary, visible) = session.run(
        "SELECT nspname, pg_table_is_visible(c.oid) FROM pg_class c JOIN pg_namespace n"
        " ON n.oid = relnamespace WHERE relname = 'songs' ORDER BY nspname <> 't'"
    ).rows
    ((schema, column),) = session.run(
        "SELECT table_schema, column_name FROM information_schema.columns WHERE table_name = 'songs'"
        " AND table_schema LIKE 'pg_temp%'"
    ).rows
    assert of_t == ["t", False]
    assert temporary.startswith("pg_temp_")
    assert (visible, schema, column) == (True, temporary, "i")


def test_a_user_sees_only_what_it_may(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, port=0, admins=frozenset({"admin"}))
    with LocalRedshift(settings) as server:
        admin, other = Warehouse(server.url, key="admin"), Warehouse(server.url, key="other")
        admin.run("CREATE TABLE secret (i INT)")
        sql = "SELECT COUNT(*) FROM pg_class WHERE relname = 'secret'"
        assert (admin.rows(sql), other.rows(sql)) == ([[1]], [[0]])
        other.run("SELECT 1")
        admin.run('GRANT SELECT ON secret TO "IAM:other"')
        assert other.rows(sql) == [[1]]
        grants = "SELECT grantee, privilege_type FROM information_schema.table_privileges"
        assert other.rows(grants) == [["IAM:other", "SELECT"]]


def test_what_is_ours_is_in_no_list(filled: Warehouse) -> None:
    sql = "SELECT COUNT(*) FROM pg_class WHERE relname LIKE 'pg_rs_%' OR relname = 'pg_roles'"
    assert filled.rows(sql) == [[0]]
    listed = filled.client.list_tables(
        Database="dev", WorkgroupName="local", SchemaPattern="pg_catalog", TablePattern="pg_r%"
    )
    assert [table["name"] for table in listed["Tables"]] == ["pg_rewrite"]
