"""PostgreSQL's catalogue as Redshift has it: pg_class, pg_attribute and the others, for drivers and tools.

Columns: those of PostgreSQL 8.0 (https://www.postgresql.org/docs/8.0/catalogs.html) and Redshift's own
(https://docs.aws.amazon.com/redshift/latest/dg/c_intro_catalog_views.html). The views that begin with
pg_rs_ are ours: functions such as pg_get_viewdef read them (``dialect.leader``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import count
from typing import Any

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import TEMP_SCHEMA, Relation
from fakeshift.sql.datatypes import DataType
from fakeshift.sql.nodes import Column
from fakeshift.system.catalogue import encoding, is_distkey, owner_ids, sort_place, temp_schema
from fakeshift.system.pg_types import ENCODINGS, TYPES, modifier_of, oid_of
from fakeshift.system.view import (
    CATALOG,
    INFORMATION,
    Row,
    SystemSession,
    SystemView,
    catalogue,
    columns,
)

_RDSDB = 1
"""The id of rdsdb, who owns everything without another owner."""
_CATALOG_OID, _INFORMATION_OID, _TOAST_OID, _INTERNAL_OID = 11, 12, 99, 13
_CLASS_OID, _PROC_OID, _TYPE_OID, _NAMESPACE_OID, _REWRITE_OID = 1259, 1255, 1247, 2615, 2618
_FIRST_OF_VIEWS = 5000
_FIRST_OF_CONSTRAINTS = 50_000_000
_FIRST_OF_DEFAULTS = 60_000_000
_FIRST_OF_RULES = 70_000_000
_FIRST_OF_INDEXES = 90_000_000
_BTREE = 403
_PER_TABLE = 1_600
"""More than Redshift's 1,600 columns of a table have no place: the ids of parts of a table."""

_KNOWN_OIDS = {"pg_class": _CLASS_OID, "pg_proc": _PROC_OID, "pg_type": _TYPE_OID,
               "pg_namespace": _NAMESPACE_OID, "pg_rewrite": _REWRITE_OID, "pg_attribute": 1249,
               "pg_database": 1262, "pg_constraint": 2606, "pg_attrdef": 2604}  # fmt: skip


def temp_namespace(session: SystemSession) -> tuple[int, str]:
    """The schema of the session's temporary tables: its id and name."""
    return 80_000_000 + session.pid % 1_000_000, temp_schema(session)


def _relations(session: SystemSession) -> list[Relation]:
    """The tables and views that the user may see, with the session's temporary tables."""
    found = [r for r in catalog.all_relations(session.con) if session.may_see(r)]
    return found + (catalog.temporary_relations(session.con) if session.has_temporary else [])


def _namespaces(session: SystemSession) -> list[tuple[int, str, int]]:
    """(oid, name, owner's id) of every schema."""
    owners = owner_ids(session)
    built_in = [(_CATALOG_OID, CATALOG), (_INFORMATION_OID, INFORMATION)]
    built_in += [(_TOAST_OID, "pg_toast"), (_INTERNAL_OID, "pg_internal")]
    if session.has_temporary:
        built_in.append(temp_namespace(session))
    own = [(s.oid, s.name, owners.get(s.owner, _RDSDB)) for s in catalog.all_schemas(session.con)]
    return [*((oid, name, 1) for oid, name in built_in), *own]


def _namespace_oids(session: SystemSession) -> dict[str, int]:
    found = {name: oid for oid, name, _ in _namespaces(session)}
    if session.has_temporary:
        found[TEMP_SCHEMA] = temp_namespace(session)[0]
    return found


def _system_views(session: SystemSession) -> Iterator[tuple[int, SystemView]]:
    numbers = count(_FIRST_OF_VIEWS)
    for view in session.system_views():
        yield _KNOWN_OIDS.get(view.name, next(numbers)), view


# -- relations -----------------------------------------------------------------------------------


_STYLES = {"EVEN": 0, "KEY": 1, "ALL": 8}
"""reldiststyle; 10 to 12 are AUTO(ALL), AUTO(EVEN), AUTO(KEY): dg/r_PG_CLASS_INFO.html"""


def _style(relation: Relation) -> int:
    key = relation.attributes.distkey or any(column.distkey for column in relation.columns)
    return 1 if key else _STYLES.get(relation.attributes.diststyle.upper(), 10)


def _pg_class(session: SystemSession) -> list[Row]:
    owners, namespaces = owner_ids(session), _namespace_oids(session)
    found: list[Row] = []
    for r in _relations(session):
        keys = _constraints(r)
        kinds = [kind for kind, *_ in keys]
        found.append(
            (r.oid, r.name, namespaces[r.schema], 0, owners.get(r.owner, _RDSDB), 0, r.oid, 0, 0,
             0.001, 0, 0, "p" in kinds or "u" in kinds, False,
             "v" if r.is_view else "r", len(r.columns), 0, False, False,
             0 if r.is_view else _style(r), 0, 0, 0, kinds.count("u"), kinds.count("f"), 0, False,
             "p" in kinds, r.is_view, False, None)
        )  # fmt: skip
    for oid, r, _, name, names in _indexes(session):
        found.append(
            (oid, name, namespaces[r.schema], 0, owners.get(r.owner, _RDSDB), _BTREE, oid, 0, 0,
             0.0, 0, 0, False, False, "i", len(names), 0, False, False, 0, 0, 0, 0, 0, 0, 0, False,
             False, False, False, None)
        )  # fmt: skip
    for oid, view in _system_views(session):
        kind = "v" if view.is_view else "r"
        namespace = _CATALOG_OID if view.schema == CATALOG else _INFORMATION_OID
        found.append(
            (oid, view.name, namespace, 0, 1, 0, oid, 0, 0, 0.001, 0, 0, False, False, kind,
             len(view.columns), 0, False, False, 0, 0, 0, 0, 0, 0, 0, False, False, view.is_view,
             False, None)
        )  # fmt: skip
    return found


def _pg_class_info(session: SystemSession) -> list[Row]:
    """dg/r_PG_CLASS_INFO.html"""
    return [(*row, None, row[19]) for row in _pg_class(session)]


def _pg_attribute(session: SystemSession) -> list[Row]:
    found: list[Row] = []
    for r in _relations(session):
        for number, c in enumerate(r.columns, 1):
            has_default = c.default is not None or c.identity is not None
            found.append(
                (
                    *_attribute(r.oid, number, c, has_default=has_default),
                    is_distkey(r, c),
                    sort_place(r, c),
                    ENCODINGS.index(encoding(r, c.name)),
                    0,
                )
            )
    for oid, r, _, _, names in _indexes(session):
        for number, name in enumerate(names, 1):
            column = r.column(name) or Column(name, DataType("int4"))
            found.append((*_attribute(oid, number, column, has_default=False), False, 0, 0, 0))
    for oid, view in _system_views(session):
        for number, (name, kind) in enumerate(view.columns, 1):
            found.append(
                (*_attribute(oid, number, Column(name, kind), has_default=False), False, 0, 0, 0)
            )
    return found


def _attribute(oid: int, number: int, column: Column, *, has_default: bool) -> tuple[Any, ...]:
    kind = column.type
    type_oid = oid_of(kind)
    length = next((t.length for t in TYPES if t.oid == type_oid), -1)
    return (
        oid, column.name, type_oid, -1, length, number, 0, -1, modifier_of(kind), 0 < length <= 8,
        "p" if length > 0 else "x", "i", column.not_null, has_default, False, True, 0, False,
    )  # fmt: skip


def _default(relation: Relation, number: int, column: Column) -> str | None:
    if column.identity:
        start, step = column.identity
        return f"\"identity\"({relation.oid}, {number - 1}, '{start},{step}'::text)"
    return column.default


def _pg_attrdef(session: SystemSession) -> list[Row]:
    """adbin is the expression's text, which pg_get_expr returns."""
    return [
        (_FIRST_OF_DEFAULTS + r.oid * _PER_TABLE + number, r.oid, number, default, default)
        for r in _relations(session)
        for number, c in enumerate(r.columns, 1)
        if (default := _default(r, number, c)) is not None
    ]


# -- constraints ---------------------------------------------------------------------------------

_LETTERS = {"PRIMARY KEY": "p", "UNIQUE": "u", "FOREIGN KEY": "f"}
_ENDS = {"p": "pkey", "u": "key", "f": "fkey"}
_REFERENCE = re.compile(r"([^()]+)(?:\((.*)\))?")


def _constraints(relation: Relation) -> list[tuple[str, str, tuple[str, ...], str]]:
    """(p, u or f; name; columns; what it references) of a table."""
    given = [(_LETTERS[c.kind], c.name, c.columns, c.references) for c in relation.constraints]
    for column in relation.columns:
        if column.primary_key:
            given.append(("p", "", (column.name,), ""))
        if column.unique:
            given.append(("u", "", (column.name,), ""))
        if column.references:
            given.append(("f", "", (column.name,), column.references))
    found, used = [], set[str]()
    for letter, name, names, references in given:
        parts = [relation.name, *([] if letter == "p" else names), _ENDS[letter]]
        chosen = default = name or "_".join(parts)
        for number in count(1):
            if chosen not in used:
                break
            chosen = f"{default}{number}"
        used.add(chosen)
        found.append((letter, chosen, names, references))
    return found


def _referenced(
    session: SystemSession, relation: Relation, text: str
) -> tuple[Relation | None, list[str], str]:
    """The table that a foreign key references, its columns (its primary key if none are named), its name."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return None, [], text
    parts = match[1].split(".")
    schemas = [parts[-2]] if len(parts) > 1 else [*session.schemas_in_path(), relation.schema]
    table = next(
        (t for schema in schemas if (t := catalog.find(session.con, schema, parts[-1]))), None
    )
    names = [name.strip() for name in (match[2] or "").split(",") if name.strip()]
    if table is not None and not names:
        names = next((list(c) for kind, _, c, _ in _constraints(table) if kind == "p"), [])
    return table, names, match[1]


def _numbers(relation: Relation, names: Iterable[str]) -> list[int]:
    """The numbers of columns."""
    known = {column.name: number for number, column in enumerate(relation.columns, 1)}
    return [known[name] for name in names if name in known]


def _each_constraint(
    session: SystemSession,
) -> Iterator[tuple[int, Relation, str, str, tuple[str, ...], str]]:
    for r in _relations(session):
        for number, (letter, name, names, references) in enumerate(_constraints(r)):
            yield _FIRST_OF_CONSTRAINTS + r.oid * 100 + number, r, letter, name, names, references


def _indexes(session: SystemSession) -> Iterator[tuple[int, Relation, str, str, tuple[str, ...]]]:
    """(oid, table, p or u, name, columns) of each primary key and unique constraint.

    Redshift enforces none, and has their indexes in its catalogue: the query of redshift_connector's
    get_primary_keys reads them.
    """
    for oid, r, letter, name, names, _ in _each_constraint(session):
        if letter in "pu":
            yield oid - _FIRST_OF_CONSTRAINTS + _FIRST_OF_INDEXES, r, letter, name, names


def _pg_index(session: SystemSession) -> list[Row]:
    return [
        (oid, r.oid, _numbers(r, names), [0] * len(names), len(names), True, letter == "p", False,
         None, None)
        for oid, r, letter, _, names in _indexes(session)
    ]  # fmt: skip


def _pg_indexes(session: SystemSession) -> list[Row]:
    return [
        (r.schema, r.name, name, None, definition)
        for (_, r, _, name, _), (_, definition) in zip(
            _indexes(session), _pg_rs_indexes(session), strict=True
        )
    ]


def _pg_rs_indexes(session: SystemSession) -> list[Row]:
    """(oid, definition): pg_get_indexdef."""
    return [
        (oid, f"CREATE UNIQUE INDEX {name} ON {r.schema}.{r.name} USING btree ({', '.join(names)})")
        for oid, r, _, name, names in _indexes(session)
    ]


def _pg_constraint(session: SystemSession) -> list[Row]:
    namespaces = _namespace_oids(session)
    found: list[Row] = []
    for oid, r, letter, name, names, references in _each_constraint(session):
        table, others, _ = _referenced(session, r, references) if references else (None, [], "")
        action = "a" if letter == "f" else " "
        found.append(
            (oid, name, namespaces[r.schema], letter, False, False, r.oid, 0,
             table.oid if table else 0, action, action, "u" if letter == "f" else " ",
             _numbers(r, names), _numbers(table, others) if table else None, None, None,
             0 if letter == "f" else oid - _FIRST_OF_CONSTRAINTS + _FIRST_OF_INDEXES)
        )  # fmt: skip
    return found


def _pg_rs_constraints(session: SystemSession) -> list[Row]:
    """(oid, definition): pg_get_constraintdef."""
    found: list[Row] = []
    for oid, r, letter, _, names, references in _each_constraint(session):
        words = {"p": "PRIMARY KEY", "u": "UNIQUE", "f": "FOREIGN KEY"}[letter]
        definition = f"{words} ({', '.join(names)})"
        if references:
            table, others, written = _referenced(session, r, references)
            shown = _shown(session, table) if table else written
            definition += f" REFERENCES {shown}({', '.join(others)})"
        found.append((oid, definition))
    return found


def _key_columns(session: SystemSession) -> list[Row]:
    """information_schema.key_column_usage"""
    database = session.database_name
    found: list[Row] = []
    for _, r, letter, name, names, references in _each_constraint(session):
        _, others, _ = _referenced(session, r, references) if references else (None, [], "")
        for number, column in enumerate(names, 1):
            position = number if letter == "f" and number <= len(others) else None
            found.append(
                (database, r.schema, name, database, r.schema, r.name, column, number, position)
            )
    return found


def _table_constraints(session: SystemSession) -> list[Row]:
    """information_schema.table_constraints"""
    database = session.database_name
    words = {letter: word for word, letter in _LETTERS.items()}
    return [
        (database, r.schema, name, database, r.schema, r.name, words[letter], "NO", "NO")
        for _, r, letter, name, _, _ in _each_constraint(session)
    ]


def _constraint_columns(session: SystemSession) -> list[Row]:
    """information_schema.constraint_column_usage: of a foreign key, the columns that it references"""
    database = session.database_name
    found: list[Row] = []
    for _, r, _, name, names, references in _each_constraint(session):
        table: Relation | None = r
        used: Iterable[str] = names
        if references:
            table, used, _ = _referenced(session, r, references)
        if table is not None:
            found += [
                (database, table.schema, table.name, column, database, r.schema, name)
                for column in used
            ]
    return found


def _referential(session: SystemSession) -> list[Row]:
    """information_schema.referential_constraints"""
    database = session.database_name
    found: list[Row] = []
    for _, r, _, name, _, references in _each_constraint(session):
        if not references:
            continue
        table, others, _ = _referenced(session, r, references)
        target = next(
            (n for _, n, c, _ in _constraints(table) if list(c) == others) if table else iter(()),
            None,
        )
        found.append(
            (database, r.schema, name, database, table.schema if table else None, target, "NONE",
             "NO ACTION", "NO ACTION")
        )  # fmt: skip
    return found


# -- views and what depends on what ----------------------------------------------------------------


def _shown(session: SystemSession, relation: Relation) -> str:
    """A relation's name, with its schema where the search path does not find it."""
    visible = relation.schema in session.schemas_in_path() or relation.is_temporary
    return relation.name if visible else f"{relation.schema}.{relation.name}"


def _pg_rs_relations(session: SystemSession) -> list[Row]:
    """(oid, as regclass shows it, full name, visible, a view's query): pg_table_is_visible and others."""
    path = [*session.schemas_in_path(), TEMP_SCHEMA]
    seen = set[str]()
    found: list[Row] = []
    by_schema = {r.key: r for r in _relations(session)}
    order = sorted(
        by_schema.values(),
        key=lambda r: (r.schema != TEMP_SCHEMA, path.index(r.schema) if r.schema in path else 999),
    )
    for r in order:
        visible = r.schema in path and r.name not in seen
        seen.add(r.name)
        schema = temp_namespace(session)[1] if r.is_temporary else r.schema
        shown = r.name if visible else f"{schema}.{r.name}"
        query = f" {r.query.strip().rstrip(';')};" if r.is_view else None
        if r.is_view and r.late_binding:
            query = f"CREATE VIEW {shown} AS{query[:-1] if query else ''} WITH NO SCHEMA BINDING;"
        found.append((r.oid, shown, f"{schema}.{r.name}", visible, query))
    visible_tables = {row[0] for row in found if row[3]}
    for oid, r, _, name, _ in _indexes(session):
        full = f"{r.schema}.{name}"
        visible = r.oid in visible_tables
        found.append((oid, name if visible else full, full, visible, None))
    for oid, view in _system_views(session):
        full = f"{view.schema}.{view.name}"
        visible = view.schema == CATALOG and view.name not in seen
        found.append((oid, view.name if visible else full, full, visible, None))
    return found


def _dependencies(session: SystemSession) -> Iterator[tuple[Relation, Relation]]:
    """(view, what it reads)."""
    known = {r.key: r for r in _relations(session)}
    for view in known.values():
        for key in view.depends_on:
            if key in known:
                yield view, known[key]


def _pg_depend(session: SystemSession) -> list[Row]:
    """Of views: a view's rule depends on the tables that it reads, and on the view itself."""
    found: list[Row] = []
    for view, table in _dependencies(session):
        rule = _FIRST_OF_RULES + view.oid
        found.append((_REWRITE_OID, rule, 0, _CLASS_OID, table.oid, 0, "n"))
    for oid in {view.oid for view, _ in _dependencies(session)}:
        found.append((_REWRITE_OID, _FIRST_OF_RULES + oid, 0, _CLASS_OID, oid, 0, "i"))
    return found


def _pg_roles(session: SystemSession) -> list[Row]:
    return [
        (name, is_super, True, is_super, is_super, True, -1, None, False, oid)
        for name, oid, is_super in _users(session)
    ]


def _pg_rewrite(session: SystemSession) -> list[Row]:
    return [
        (_FIRST_OF_RULES + r.oid, "_RETURN", r.oid, 0, "1", True, None, None)
        for r in _relations(session)
        if r.is_view
    ]


def _information_views(session: SystemSession) -> list[Row]:
    """information_schema.views"""
    database = session.database_name
    return [
        (database, r.schema, r.name, r.query, "NONE", "NO", "NO")
        for r in _relations(session)
        if r.is_view
    ]


def _view_table_usage(session: SystemSession) -> list[Row]:
    """information_schema.view_table_usage"""
    name = session.database_name
    return [
        (name, view.schema, view.name, name, table.schema, table.name)
        for view, table in _dependencies(session)
    ]


def _catalog_name(session: SystemSession) -> list[Row]:
    return [(session.database_name,)]


def _enabled_roles(session: SystemSession) -> list[Row]:
    names = catalog.identities(session.con, session.user)
    return [(name.rpartition(":")[2],) for name in names if name.startswith(("group:", "role:"))]


def _table_privileges(session: SystemSession) -> list[Row]:
    """information_schema.table_privileges, role_table_grants"""
    seen = {r.key for r in _relations(session)}
    return [
        (grantor, grantee.rpartition(":")[2] if grantee.startswith(("group:", "role:")) else grantee,
         session.database_name, schema, name, privilege, "YES" if option else "NO", "NO")
        for grantee, kind, schema, name, privilege, grantor, option in catalog.all_privileges(session.con)
        if kind == "TABLE" and (schema, name) in seen
    ]  # fmt: skip


def _constraint_tables(session: SystemSession) -> list[Row]:
    """information_schema.constraint_table_usage"""
    return list(dict.fromkeys((*row[:3], *row[4:]) for row in _constraint_columns(session)))


def _column_types(session: SystemSession) -> list[Row]:
    """information_schema.column_udt_usage"""
    name = session.database_name
    return [
        (name, CATALOG, c.type.name, name, r.schema, r.name, c.name)
        for r in _relations(session)
        for c in r.columns
    ]


def _late_columns(session: SystemSession) -> list[Row]:
    """dg/PG_GET_LATE_BINDING_VIEW_COLS.html"""
    return [
        (r.schema, r.name, c.name, c.type.spoken, number)
        for r in _relations(session)
        if r.is_view and r.late_binding
        for number, c in enumerate(session.columns_of_view(r), 1)
    ]


def _pg_description(session: SystemSession) -> list[Row]:
    found: list[Row] = []
    for r in _relations(session):
        if r.comment:
            found.append((r.oid, _CLASS_OID, 0, r.comment))
        found += [
            (r.oid, _CLASS_OID, number, r.column_comments[c.name])
            for number, c in enumerate(r.columns, 1)
            if c.name in r.column_comments
        ]
    return found


# -- types, users and the rest ---------------------------------------------------------------------


@lru_cache(1)
def _types() -> list[Row]:
    found: list[Row] = []
    for kind in TYPES:
        found.append(_type_row(kind.oid, kind.name, kind.length, 0))
        if kind.array:
            found.append(_type_row(kind.array, f"_{kind.name}", -1, kind.oid))
    return found


def _type_row(oid: int, name: str, length: int, element: int) -> Row:
    by_value = 0 < length <= 8
    kind = "p" if name in ("any", "void", "record", "trigger") else "b"
    return (
        oid, name, _CATALOG_OID, 1, length, by_value, kind, True, ",", 0, element, f"{name}in",
        f"{name}out", f"{name}recv", f"{name}send", "-", "i", "p" if length > 0 else "x", False, 0,
        -1, 0, None, None,
    )  # fmt: skip


def _pg_type(_: SystemSession) -> list[Row]:
    return _types()


def _pg_namespace(session: SystemSession) -> list[Row]:
    return [(*row, None) for row in _namespaces(session)]


def _pg_database(session: SystemSession) -> list[Row]:
    name = session.database_name
    return [(1, name, _RDSDB, 6, False, True, -1, 0, 0, 0, 0, None, None)]


def _users(session: SystemSession) -> list[tuple[str, int, bool]]:
    known = catalog.all_grantees(session.con, "user")
    return [("rdsdb", 1, True), *((user.name, user.oid, user.superuser) for user in known)]


def _pg_user(session: SystemSession) -> list[Row]:
    """dg/c_join_PG.html: users created by CREATE USER or a connection"""
    return [
        (name, oid, is_super, is_super, is_super, "********", None, None)
        for name, oid, is_super in _users(session)
    ]


def _pg_rs_users(session: SystemSession) -> list[Row]:
    """pg_get_userbyid"""
    return [(oid, name) for name, oid, _ in _users(session)]


def _pg_rs_types(_: SystemSession) -> list[Row]:
    """regtype"""
    return [(row[0], row[1]) for row in _types()]


def _pg_rs_comments(session: SystemSession) -> list[Row]:
    """obj_description, col_description"""
    return [(oid, number, text) for oid, _, number, text in _pg_description(session)]


def _pg_user_info(session: SystemSession) -> list[Row]:
    """dg/r_pg_user_info.html"""
    return [(*row, "UNLIMITED") for row in _pg_user(session)]


def _svv_user_info(session: SystemSession) -> list[Row]:
    """dg/r_SVV_USER_INFO.html"""
    return [
        (name, oid, is_super, is_super, is_super, "UNLIMITED", "RESTRICTED", None, None, None)
        for name, oid, is_super in _users(session)
    ]


def _pg_group(session: SystemSession) -> list[Row]:
    return [
        (group.name, group.oid, catalog.members(session.con, "group", group.name))
        for group in catalog.all_grantees(session.con, "group")
    ]


def _nothing(_: SystemSession) -> list[Row]:
    """Redshift has the view; nothing of this server can be in it."""
    return []


def _pg_am(_: SystemSession) -> list[Row]:
    return [(403, "btree", 1)]


def _pg_language(_: SystemSession) -> list[Row]:
    names = ("internal", "c", "sql", "plpgsql", "plpythonu")
    return [(number, name, name[0] == "p", False) for number, name in enumerate(names, 12)]


def _pg_tablespace(_: SystemSession) -> list[Row]:
    return [(1663, "pg_default", 1), (1664, "pg_global", 1)]


def _view(name: str, make: Any, text: str, **more: Any) -> SystemView:
    return SystemView(name, columns(text), catalogue(make), **more)


_CLASS = (
    "oid oid, relname name, relnamespace oid, reltype oid, relowner int4, relam oid, "
    "relfilenode oid, reltablespace oid, relpages int4, reltuples float4, reltoastrelid oid, "
    "reltoastidxid oid, relhasindex bool, relisshared bool, relkind char, relnatts int2, "
    "relexternid oid, relisreplicated bool, relispinned bool, reldiststyle int2, "
    "relprojbaseid oid, relchecks int2, reltriggers int2, relukeys int2, relfkeys int2, "
    "relrefs int2, relhasoids bool, relhaspkey bool, relhasrules bool, relhassubclass bool, "
    "relacl _acl"
)
_TABLE = "table_catalog text, table_schema text, table_name text"
_CONSTRAINT = "constraint_catalog text, constraint_schema text, constraint_name text"
_GRANT = f"grantor text, grantee text, {_TABLE}, privilege_type text, is_grantable text"
_ROUTINE = "specific_catalog text, specific_schema text, specific_name text"
_DOMAIN = "domain_catalog text, domain_schema text, domain_name text"
_OBJECT = "object_catalog text, object_schema text, object_name text, object_type text"
_TRIGGER = "trigger_catalog text, trigger_schema text, trigger_name text"
_EMPTY_OF_INFORMATION = {
    "applicable_roles": "grantee text, role_name text, is_grantable text",
    "check_constraints": f"{_CONSTRAINT}, check_clause text",
    "column_domain_usage": f"{_DOMAIN}, {_TABLE}, column_name text",
    "column_privileges": f"grantor text, grantee text, {_TABLE}, column_name text, "
    "privilege_type text, is_grantable text",
    "data_type_privileges": f"{_OBJECT}, dtd_identifier text",
    "domain_constraints": f"{_CONSTRAINT}, {_DOMAIN}, is_deferrable text, initially_deferred text",
    "domain_udt_usage": f"udt_catalog text, udt_schema text, udt_name text, {_DOMAIN}",
    "domains": f"{_DOMAIN}, data_type text",
    "element_types": f"{_OBJECT}, collection_type_identifier text, data_type text",
    "parameters": f"{_ROUTINE}, ordinal_position int4, parameter_mode text, parameter_name text, "
    "data_type text",
    "role_column_grants": f"grantor text, grantee text, {_TABLE}, column_name text, "
    "privilege_type text, is_grantable text",
    "role_routine_grants": f"grantor text, grantee text, {_ROUTINE}, privilege_type text, "
    "is_grantable text",
    "role_usage_grants": f"grantor text, grantee text, {_OBJECT}, privilege_type text, "
    "is_grantable text",
    "routine_privileges": f"grantor text, grantee text, {_ROUTINE}, privilege_type text, "
    "is_grantable text",
    "sql_features": "feature_id text, feature_name text, sub_feature_id text, "
    "sub_feature_name text, is_supported text, is_verified_by text, comments text",
    "sql_implementation_info": "implementation_info_id text, implementation_info_name text, "
    "integer_value int4, character_value text, comments text",
    "sql_languages": "sql_language_source text, sql_language_year text",
    "sql_packages": "feature_id text, feature_name text, is_supported text, is_verified_by text, "
    "comments text",
    "sql_sizing": "sizing_id int4, sizing_name text, supported_value int4, comments text",
    "sql_sizing_profiles": "sizing_id int4, sizing_name text, profile_id text, "
    "required_value int4, comments text",
    "triggered_update_columns": f"{_TRIGGER}, event_object_catalog text, "
    "event_object_schema text, event_object_table text, event_object_column text",
    "triggers": f"{_TRIGGER}, event_manipulation text, event_object_catalog text, "
    "event_object_schema text, event_object_table text, action_order int4, action_statement text",
    "usage_privileges": f"grantor text, grantee text, {_OBJECT}, privilege_type text, "
    "is_grantable text",
    "view_column_usage": f"view_catalog text, view_schema text, view_name text, {_TABLE}, "
    "column_name text",
}
"""The rest of https://www.postgresql.org/docs/8.0/information-schema.html: nothing here can be in them,
but for view_column_usage, which is not kept.
"""
_PROC = (
    "proname name, pronamespace oid, proowner int4, prolang oid, proisagg bool, prosecdef bool, "
    "proisstrict bool, proretset bool, provolatile char, pronargs int2, prorettype oid, "
    "proargtypes _int4, proargnames _text, prosrc text, probin text, proacl _acl"
)
_USER = (
    "usename name, usesysid int4, usecreatedb bool, usesuper bool, usecatupd bool, passwd text, "
    "valuntil timestamptz, useconfig _text"
)

VIEWS: list[SystemView] = [
    _view("pg_class", _pg_class, _CLASS, is_view=False),
    _view(
        "pg_class_info",
        _pg_class_info,
        f"{_CLASS}, relcreationtime timestamp, releffectivediststyle int2",
    ),
    _view(
        "pg_attribute",
        _pg_attribute,
        "attrelid oid, attname name, atttypid oid, attstattarget int4, attlen int2, attnum int2, "
        "attndims int4, attcacheoff int4, atttypmod int4, attbyval bool, attstorage char, "
        "attalign char, attnotnull bool, atthasdef bool, attisdropped bool, attislocal bool, "
        "attinhcount int4, attispreloaded bool, attisdistkey bool, attsortkeyord int4, "
        "attencodingtype int2, attencrypttype int2",
        is_view=False,
    ),
    _view(
        "pg_attrdef",
        _pg_attrdef,
        "oid oid, adrelid oid, adnum int2, adbin text, adsrc text",
        is_view=False,
    ),
    _view(
        "pg_type",
        _pg_type,
        "oid oid, typname name, typnamespace oid, typowner int4, typlen int2, typbyval bool, "
        "typtype char, typisdefined bool, typdelim char, typrelid oid, typelem oid, typinput text, "
        "typoutput text, typreceive text, typsend text, typanalyze text, typalign char, "
        "typstorage char, typnotnull bool, typbasetype oid, typtypmod int4, typndims int4, "
        "typdefaultbin text, typdefault text",
        is_view=False,
    ),
    _view(
        "pg_constraint",
        _pg_constraint,
        "oid oid, conname name, connamespace oid, contype char, condeferrable bool, "
        "condeferred bool, conrelid oid, contypid oid, confrelid oid, confupdtype char, "
        "confdeltype char, confmatchtype char, conkey _int2, confkey _int2, conbin text, consrc text, "
        "conindid oid",
        is_view=False,
    ),
    _view(
        "pg_namespace",
        _pg_namespace,
        "oid oid, nspname name, nspowner int4, nspacl _acl",
        is_view=False,
    ),
    _view(
        "pg_database",
        _pg_database,
        "oid oid, datname name, datdba int4, encoding int4, datistemplate bool, datallowconn bool, "
        "datlastsysoid oid, datvacuumxid int4, datfrozenxid int4, dattablespace oid, "
        "datconnlimit int4, datconfig _text, datacl _acl",
        is_view=False,
    ),
    _view("pg_user", _pg_user, _USER),
    _view("pg_shadow", _pg_user, _USER, superuser=True),
    _view("pg_user_info", _pg_user_info, f"{_USER}, useconnlimit text", superuser=True),
    _view(
        "svv_user_info",
        _svv_user_info,
        "user_name text, user_id int4, createdb bool, superuser bool, catalog_update bool, "
        "connection_limit text, syslog_access text, last_ddl_timestamp timestamp, "
        "session_timeout int4, external_user_id text",
    ),
    _view("pg_group", _pg_group, "groname name, grosysid int4, grolist _int4", is_view=False),
    _view(
        "pg_depend",
        _pg_depend,
        "classid oid, objid oid, objsubid int4, refclassid oid, refobjid oid, refobjsubid int4, "
        "deptype char",
        is_view=False,
    ),
    _view(
        "pg_rewrite",
        _pg_rewrite,
        "oid oid, rulename name, ev_class oid, ev_attr int2, ev_type char, is_instead bool, "
        "ev_qual text, ev_action text",
        is_view=False,
    ),
    _view(
        "pg_description",
        _pg_description,
        "objoid oid, classoid oid, objsubid int4, description text",
        is_view=False,
    ),
    _view(
        "pg_index",
        _pg_index,
        "indexrelid oid, indrelid oid, indkey _int2, indclass _int2, indnatts int2, indisunique bool, "
        "indisprimary bool, indisclustered bool, indexprs text, indpred text",
        is_view=False,
    ),
    _view(
        "pg_indexes",
        _pg_indexes,
        "schemaname name, tablename name, indexname name, tablespace name, indexdef text",
    ),
    _view("pg_proc", _nothing, f"oid oid, {_PROC}", is_view=False),
    _view(
        "pg_proc_info",
        _nothing,
        f"prooid oid, {_PROC}, prokind char, proargmodes _text, proallargtypes _int4",
    ),
    _view(
        "pg_trigger",
        _nothing,
        "oid oid, tgrelid oid, tgname name, tgfoid oid, tgtype int2, tgenabled bool, "
        "tgisconstraint bool",
        is_view=False,
    ),
    _view("pg_inherits", _nothing, "inhrelid oid, inhparent oid, inhseqno int4", is_view=False),
    _view("pg_am", _pg_am, "oid oid, amname name, amowner int4", is_view=False),
    _view(
        "pg_language",
        _pg_language,
        "oid oid, lanname name, lanispl bool, lanpltrusted bool",
        is_view=False,
    ),
    _view("pg_tablespace", _pg_tablespace, "oid oid, spcname name, spcowner int4", is_view=False),
    _view("pg_external_schema", _nothing, "esoid oid, eskind int2, esdbname text, esoptions text"),
    _view(
        "svv_external_schemas",
        _nothing,
        "esoid oid, eskind int2, schemaname name, esowner int4, databasename text, esoptions text",
    ),
    _view("svv_external_databases", _nothing, "eskind int4, databasename text, esoptions text"),
    _view(
        "svv_external_tables",
        _nothing,
        "redshift_database_name text, schemaname text, tablename text, tabletype text, "
        "location text, input_format text, output_format text, serialization_lib text, "
        "serde_parameters text, compressed int4, parameters text",
    ),
    _view(
        "svv_external_columns",
        _nothing,
        "redshift_database_name text, schemaname text, tablename text, columnname text, "
        "external_type text, columnnum int4, part_key int4, is_nullable text",
    ),
    _view(
        "svv_external_partitions",
        _nothing,
        "schemaname text, tablename text, values text, location text, input_format text, "
        "output_format text, serialization_lib text, serde_parameters text, compressed int4, "
        "parameters text",
    ),
    _view(
        "svv_mv_info",
        _nothing,
        "database_name bpchar(128), schema_name bpchar(128), user_name bpchar(128), name bpchar(128), "
        "is_stale bpchar(1), owner_user_name bpchar(128), state int4, autorewrite bpchar(1), "
        "autorefresh bpchar(1)",
    ),
    _view(
        "svv_datashares",
        _nothing,
        "share_name text, share_id int4, share_owner int4, "
        "source_database text, consumer_database text, share_type text, createdate timestamp, "
        "is_publicaccessible bool, share_acl text, producer_account text, "
        "producer_namespace text",
    ),
    _view(
        "views",
        _information_views,
        "table_catalog text, table_schema text, table_name text, view_definition text, "
        "check_option text, is_updatable text, is_insertable_into text",
        schema=INFORMATION,
    ),
    _view(
        "view_table_usage",
        _view_table_usage,
        "view_catalog text, view_schema text, view_name text, table_catalog text, "
        "table_schema text, table_name text",
        schema=INFORMATION,
    ),
    _view(
        "table_constraints",
        _table_constraints,
        "constraint_catalog text, constraint_schema text, constraint_name text, "
        "table_catalog text, table_schema text, table_name text, constraint_type text, "
        "is_deferrable text, initially_deferred text",
        schema=INFORMATION,
    ),
    _view(
        "key_column_usage",
        _key_columns,
        "constraint_catalog text, constraint_schema text, constraint_name text, "
        "table_catalog text, table_schema text, table_name text, column_name text, "
        "ordinal_position int4, position_in_unique_constraint int4",
        schema=INFORMATION,
    ),
    _view(
        "constraint_column_usage",
        _constraint_columns,
        "table_catalog text, table_schema text, table_name text, column_name text, "
        "constraint_catalog text, constraint_schema text, constraint_name text",
        schema=INFORMATION,
    ),
    _view(
        "referential_constraints",
        _referential,
        "constraint_catalog text, constraint_schema text, constraint_name text, "
        "unique_constraint_catalog text, unique_constraint_schema text, "
        "unique_constraint_name text, match_option text, update_rule text, delete_rule text",
        schema=INFORMATION,
    ),
    _view(
        "routines",
        _nothing,
        "specific_catalog text, specific_schema text, specific_name text, routine_catalog text, "
        "routine_schema text, routine_name text, routine_type text, data_type text",
        schema=INFORMATION,
    ),
    *(
        _view(name, make, text, schema=INFORMATION)
        for name, make, text in (
            ("information_schema_catalog_name", _catalog_name, "catalog_name text"),
            ("enabled_roles", _enabled_roles, "role_name text"),
            ("table_privileges", _table_privileges, f"{_GRANT}, with_hierarchy text"),
            ("role_table_grants", _table_privileges, f"{_GRANT}, with_hierarchy text"),
            ("constraint_table_usage", _constraint_tables, f"{_TABLE}, {_CONSTRAINT}"),
            (
                "column_udt_usage",
                _column_types,
                f"udt_catalog text, udt_schema text, udt_name text, {_TABLE}, column_name text",
            ),
            *((name, _nothing, text) for name, text in _EMPTY_OF_INFORMATION.items()),
        )
    ),
]

_OURS: list[SystemView] = [
    _view(
        "pg_roles",
        _pg_roles,
        "rolname name, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, "
        "rolcanlogin bool, rolconnlimit int4, rolvaliduntil timestamptz, rolreplication bool, oid oid",
    ),
    _view("pg_auth_members", _nothing, "roleid oid, member oid, grantor oid, admin_option bool"),
    _view("pg_collation", _nothing, "oid oid, collname name, collnamespace oid"),
    _view("pg_extension", _nothing, "oid oid, extname name, extversion text, extnamespace oid"),
    _view(
        "pg_rs_relations",
        _pg_rs_relations,
        "rs_oid oid, rs_shown text, rs_full_name text, rs_visible bool, rs_definition text",
    ),
    _view("pg_rs_constraints", _pg_rs_constraints, "rs_oid oid, rs_definition text"),
    _view("pg_rs_indexes", _pg_rs_indexes, "rs_oid oid, rs_definition text"),
    _view("pg_rs_users", _pg_rs_users, "rs_oid int4, rs_name name"),
    _view("pg_rs_types", _pg_rs_types, "rs_oid oid, rs_name name"),
    _view("pg_rs_comments", _pg_rs_comments, "rs_oid oid, rs_number int4, rs_text text"),
    _view(
        "pg_rs_late_columns",
        _late_columns,
        "view_schema name, view_name name, col_name name, col_type text, col_num int4",
    ),
]
"""pg_rs_: what functions of the catalogue read. The others are of a newer PostgreSQL: Redshift has none of
them, and psql 15 asks for them.
"""

VIEWS += [replace(view, internal=True) for view in _OURS]
