"""The catalogue in separate DuckDB tables, so that DDL and its catalogue rows are one transaction.

Every function takes the session's connection: inside a transaction it sees the transaction's
state, outside the committed state.
"""
# ruff: noqa: S608 - names of our own tables, values are parameters

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import duckdb

from fakeshift.catalog.model import TEMP_SCHEMA, Grantee, Key, Relation, Schema

DATABASE = "warehouse"
"""DuckDB's name of the database file; the Redshift database's name is a setting."""

_OWN = f"{DATABASE}.rs_catalog"
_RESERVED = frozenset({"main", "information_schema", "pg_catalog", "temp", "rs_catalog", "system"})

BOOTSTRAP = f"""
CREATE SCHEMA IF NOT EXISTS {_OWN};
CREATE SEQUENCE IF NOT EXISTS {_OWN}.oids START 100000;
CREATE TABLE IF NOT EXISTS {_OWN}.schemas (name VARCHAR, oid BIGINT, owner VARCHAR, quota VARCHAR);
CREATE TABLE IF NOT EXISTS {_OWN}.relations (schema VARCHAR, name VARCHAR, document VARCHAR);
CREATE TABLE IF NOT EXISTS {_OWN}.grantees
    (name VARCHAR, kind VARCHAR, oid BIGINT, superuser BOOLEAN);
CREATE TABLE IF NOT EXISTS {_OWN}.members (grantee VARCHAR, of_kind VARCHAR, of_name VARCHAR);
CREATE TABLE IF NOT EXISTS {_OWN}.privileges
    (grantee VARCHAR, kind VARCHAR, schema VARCHAR, name VARCHAR, privilege VARCHAR,
     grantor VARCHAR, grant_option BOOLEAN);
CREATE TABLE IF NOT EXISTS {_OWN}.passwords (name VARCHAR, password VARCHAR);
CREATE TABLE IF NOT EXISTS {_OWN}.notes (name VARCHAR, note VARCHAR);
CREATE TABLE IF NOT EXISTS {_OWN}.default_privileges
    (owner VARCHAR, schema VARCHAR, grantee VARCHAR, privilege VARCHAR, grant_option BOOLEAN);
"""

Connection = duckdb.DuckDBPyConnection


def physical(schema: str, name: str) -> str:
    """DuckDB's quoted name of a table: ``warehouse."public"."t"``."""
    quoted = name.replace('"', '""')
    if schema == TEMP_SCHEMA:
        return f'temp.main."{quoted}"'
    return f'{DATABASE}.{physical_schema(schema)}."{quoted}"'


def physical_schema(schema: str) -> str:
    """DuckDB's quoted name of a schema; users can also use DuckDB's schema names."""
    name = f"{schema}$" if schema in _RESERVED else schema
    return '"' + name.replace('"', '""') + '"'


def new_oid(con: Connection) -> int:
    """A new, unique object id."""
    return int(_value(con, f"SELECT nextval('{_OWN}.oids')"))


def _value(con: Connection, sql: str) -> Any:
    row = con.execute(sql).fetchone()
    return row[0] if row else None


def put_note(con: Connection, name: str, note: str) -> bool:
    """Stores a note about the database file; returns whether it has changed."""
    if _value(con, f"SELECT note FROM {_OWN}.notes WHERE name = '{name}'") == note:
        return False
    con.execute(f"DELETE FROM {_OWN}.notes WHERE name = ?", [name])
    con.execute(f"INSERT INTO {_OWN}.notes VALUES (?, ?)", [name, note])
    return True


def touch(con: Connection) -> None:
    """Reads nothing, but takes the snapshot: a transaction sees what was committed before its first read."""
    con.execute(f"SELECT name FROM {_OWN}.schemas LIMIT 0")


# -- schemas -----------------------------------------------------------------------------------


def find_schema(con: Connection, name: str) -> Schema | None:
    """The schema of that name."""
    row = con.execute(
        f"SELECT name, oid, owner, quota FROM {_OWN}.schemas WHERE name = ?", [name]
    ).fetchone()
    return Schema(*row) if row else None


def all_schemas(con: Connection) -> list[Schema]:
    """Every schema by name."""
    rows = con.execute(f"SELECT name, oid, owner, quota FROM {_OWN}.schemas ORDER BY name")
    return [Schema(*row) for row in rows.fetchall()]


def put_schema(con: Connection, schema: Schema) -> None:
    """Adds or replaces a schema's row."""
    con.execute(f"DELETE FROM {_OWN}.schemas WHERE name = ?", [schema.name])
    con.execute(
        f"INSERT INTO {_OWN}.schemas VALUES (?, ?, ?, ?)",
        [schema.name, schema.oid, schema.owner, schema.quota],
    )


def drop_schema(con: Connection, name: str) -> None:
    """Deletes a schema's row and the privileges on it."""
    con.execute(f"DELETE FROM {_OWN}.schemas WHERE name = ?", [name])
    con.execute(f"DELETE FROM {_OWN}.privileges WHERE schema = ?", [name])
    con.execute(f"DELETE FROM {_OWN}.default_privileges WHERE schema = ?", [name])


# -- relations ---------------------------------------------------------------------------------


def _relations(schema: str) -> str:
    return "temp.main.rs_relations" if schema == TEMP_SCHEMA else f"{_OWN}.relations"


def prepare_temporary(con: Connection) -> None:
    """The catalogue of a session's temporary tables, which ends with the session."""
    con.execute(
        "CREATE TEMP TABLE IF NOT EXISTS rs_relations"
        " (schema VARCHAR, name VARCHAR, document VARCHAR)"
    )


def find(con: Connection, schema: str, name: str) -> Relation | None:
    """The relation of that name."""
    row = con.execute(
        f"SELECT document FROM {_relations(schema)} WHERE schema = ? AND name = ?", [schema, name]
    ).fetchone()
    return Relation.from_json(row[0]) if row else None


def all_relations(con: Connection, schema: str | None = None) -> list[Relation]:
    """Every relation but temporary ones, of one schema or of all, by schema and name."""
    where, values = ("WHERE schema = ?", [schema]) if schema is not None else ("", [])
    rows = con.execute(
        f"SELECT document FROM {_OWN}.relations {where} ORDER BY schema, name", values
    ).fetchall()
    return [Relation.from_json(row[0]) for row in rows]


def temporary_relations(con: Connection) -> list[Relation]:
    """The session's temporary tables, which it must have."""
    rows = con.execute(f"SELECT document FROM {_relations(TEMP_SCHEMA)} ORDER BY name").fetchall()
    return [Relation.from_json(row[0]) for row in rows]


def put(con: Connection, relation: Relation) -> None:
    """Adds or replaces a relation's row."""
    table = _relations(relation.schema)
    con.execute(
        f"DELETE FROM {table} WHERE schema = ? AND name = ?", [relation.schema, relation.name]
    )
    con.execute(
        f"INSERT INTO {table} VALUES (?, ?, ?)",
        [relation.schema, relation.name, relation.to_json()],
    )


def drop(con: Connection, relation: Relation) -> None:
    """Deletes a relation's row and the privileges on it."""
    con.execute(
        f"DELETE FROM {_relations(relation.schema)} WHERE schema = ? AND name = ?",
        [relation.schema, relation.name],
    )
    con.execute(
        f"DELETE FROM {_OWN}.privileges WHERE kind = 'TABLE' AND schema = ? AND name = ?",
        [relation.schema, relation.name],
    )


def rename(con: Connection, relation: Relation, name: str) -> None:
    """Renames a relation and keeps its privileges."""
    con.execute(
        f"DELETE FROM {_relations(relation.schema)} WHERE schema = ? AND name = ?",
        [relation.schema, relation.name],
    )
    put(con, replace(relation, name=name))
    con.execute(
        f"UPDATE {_OWN}.privileges SET name = ? WHERE kind = 'TABLE' AND schema = ? AND name = ?",
        [name, relation.schema, relation.name],
    )


def dependents(con: Connection, key: Key) -> list[Relation]:
    """The views that depend on a relation (late-binding ones depend on nothing)."""
    return [r for r in all_relations(con) if key in r.depends_on]


# -- users, groups, roles ----------------------------------------------------------------------


def find_grantee(con: Connection, name: str, kind: str) -> Grantee | None:
    """A user, group or role."""
    row = con.execute(
        f"SELECT name, kind, oid, superuser FROM {_OWN}.grantees WHERE name = ? AND kind = ?",
        [name, kind],
    ).fetchone()
    return Grantee(*row) if row else None


def all_grantees(con: Connection, kind: str) -> list[Grantee]:
    """Every user, group or role."""
    rows = con.execute(
        f"SELECT name, kind, oid, superuser FROM {_OWN}.grantees WHERE kind = ? ORDER BY name",
        [kind],
    )
    return [Grantee(*row) for row in rows.fetchall()]


def put_grantee(con: Connection, grantee: Grantee) -> None:
    """Adds a user, group or role."""
    con.execute(
        f"INSERT INTO {_OWN}.grantees VALUES (?, ?, ?, ?)",
        [grantee.name, grantee.kind, grantee.oid, grantee.superuser],
    )


def drop_grantee(con: Connection, name: str, kind: str) -> None:
    """Deletes a user, group or role and its privileges."""
    spoken = name if kind == "user" else f"{kind}:{name}"
    con.execute(f"DELETE FROM {_OWN}.grantees WHERE name = ? AND kind = ?", [name, kind])
    if kind == "user":
        con.execute(f"DELETE FROM {_OWN}.passwords WHERE name = ?", [name])
    con.execute(f"DELETE FROM {_OWN}.privileges WHERE grantee = ?", [spoken])
    con.execute(f"DELETE FROM {_OWN}.default_privileges WHERE grantee = ?", [spoken])
    con.execute(f"DELETE FROM {_OWN}.members WHERE grantee = ?", [spoken])
    con.execute(f"DELETE FROM {_OWN}.members WHERE of_kind = ? AND of_name = ?", [kind, name])


def stored_password(user: str, password: str) -> str:
    """``md5`` and the md5 of password and user name, which CREATE USER also takes as a password.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
    """
    if len(password) == 35 and password.startswith("md5"):
        return password
    digest = hashlib.md5(password.encode() + user.encode(), usedforsecurity=False)
    return f"md5{digest.hexdigest()}"


def put_password(con: Connection, user: str, password: str) -> None:
    """Stores the md5 form of a user's password; "" for PASSWORD DISABLE."""
    con.execute(f"DELETE FROM {_OWN}.passwords WHERE name = ?", [user])
    con.execute(f"INSERT INTO {_OWN}.passwords VALUES (?, ?)", [user, password])


def find_password(con: Connection, user: str) -> str | None:
    """What ``put_password`` stored; None for a user without a password."""
    row = con.execute(f"SELECT password FROM {_OWN}.passwords WHERE name = ?", [user]).fetchone()
    return str(row[0]) if row else None


def add_member(con: Connection, grantee: str, kind: str, name: str) -> None:
    """Makes ``grantee`` a member of a group or role."""
    remove_member(con, grantee, kind, name)
    con.execute(f"INSERT INTO {_OWN}.members VALUES (?, ?, ?)", [grantee, kind, name])


def members(con: Connection, kind: str, name: str) -> list[int]:
    """The ids of the users of a group or role."""
    rows = con.execute(
        f"SELECT oid FROM {_OWN}.members JOIN {_OWN}.grantees ON grantees.name = grantee"
        " WHERE of_kind = ? AND of_name = ? AND grantees.kind = 'user' ORDER BY oid",
        [kind, name],
    )
    return [row[0] for row in rows.fetchall()]


def remove_member(con: Connection, grantee: str, kind: str, name: str) -> None:
    """The inverse of ``add_member``."""
    con.execute(
        f"DELETE FROM {_OWN}.members WHERE grantee = ? AND of_kind = ? AND of_name = ?",
        [grantee, kind, name],
    )


def identities(con: Connection, user: str) -> list[str]:
    """The names under which a user may have privileges: itself, its groups and roles, public."""
    found, todo = ["public"], [user]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.append(name)
        rows = con.execute(
            f"SELECT of_kind || ':' || of_name FROM {_OWN}.members WHERE grantee = ?", [name]
        )
        todo.extend(row[0] for row in rows.fetchall())
    return found


# -- privileges --------------------------------------------------------------------------------

Privilege = tuple[str, str, str, str, str, str, bool]
"""(grantee, kind TABLE|SCHEMA|DATABASE, schema, name, privilege, grantor, grant option)."""


def put_privilege(con: Connection, privilege: Privilege) -> None:
    """Records a privilege, once."""
    remove_privilege(con, *privilege[:5])
    con.execute(f"INSERT INTO {_OWN}.privileges VALUES (?, ?, ?, ?, ?, ?, ?)", list(privilege))


def remove_privilege(
    con: Connection, grantee: str, kind: str, schema: str, name: str, privilege: str
) -> None:
    """Deletes a recorded privilege."""
    con.execute(
        f"DELETE FROM {_OWN}.privileges WHERE grantee = ? AND kind = ? AND schema = ?"
        " AND name = ? AND privilege = ?",
        [grantee, kind, schema, name, privilege],
    )


def has_privilege(
    con: Connection, user: str, kind: str, schema: str, name: str, privilege: str
) -> bool:
    """Whether a user has a recorded privilege, directly or by a group, a role or PUBLIC."""
    names = identities(con, user)
    marks = ", ".join("?" for _ in names)
    row = con.execute(
        f"SELECT 1 FROM {_OWN}.privileges WHERE kind = ? AND schema = ? AND name = ?"
        f" AND privilege = ? AND grantee IN ({marks})",
        [kind, schema, name, privilege, *names],
    ).fetchone()
    return row is not None


def all_privileges(con: Connection) -> list[Privilege]:
    """Every recorded privilege."""
    return con.execute(f"SELECT * FROM {_OWN}.privileges ORDER BY ALL").fetchall()


def put_default_privilege(
    con: Connection, owner: str, schema: str, grantee: str, privilege: str, *, option: bool
) -> None:
    """Records what ``grantee`` gets on tables that ``owner`` will create (schema "": any)."""
    remove_default_privilege(con, owner, schema, grantee, privilege)
    con.execute(
        f"INSERT INTO {_OWN}.default_privileges VALUES (?, ?, ?, ?, ?)",
        [owner, schema, grantee, privilege, option],
    )


def remove_default_privilege(
    con: Connection, owner: str, schema: str, grantee: str, privilege: str
) -> None:
    """The inverse of ``put_default_privilege``."""
    con.execute(
        f"DELETE FROM {_OWN}.default_privileges WHERE owner = ? AND schema = ? AND grantee = ?"
        " AND privilege = ?",
        [owner, schema, grantee, privilege],
    )


def all_default_privileges(con: Connection) -> list[tuple[str, str]]:
    """(owner, grantee) of every recorded default privilege."""
    return con.execute(f"SELECT DISTINCT owner, grantee FROM {_OWN}.default_privileges").fetchall()


def default_privileges_for(con: Connection, owner: str, schema: str) -> list[tuple[str, str, bool]]:
    """(grantee, privilege, grant option) of a table that ``owner`` creates in ``schema``."""
    return con.execute(
        f"SELECT grantee, privilege, grant_option FROM {_OWN}.default_privileges"
        " WHERE owner = ? AND schema IN ('', ?)",
        [owner, schema],
    ).fetchall()
