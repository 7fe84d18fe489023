"""CREATE TABLE in its three forms and ALTER TABLE."""
# ruff: noqa: S608 - names come quoted from the catalogue

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import TEMP_SCHEMA, Key, Relation
from fakeshift.commands import query
from fakeshift.commands.removal import remove
from fakeshift.dialect.columns import Types
from fakeshift.dialect.defaults import identity_sequence, translated_default
from fakeshift.dialect.grammar import parse_query, to_duckdb
from fakeshift.engine.locks import Mode
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.session import Session
from fakeshift.errors import RedshiftError, undefined_column, undefined_relation, unsupported
from fakeshift.sql.datatypes import MAX_VARCHAR, DataType
from fakeshift.sql.nodes import AlterTable, Column, Constraint, CreateTable, Query
from fakeshift.sql.tokens import folded

_MOST_SORT_KEYS = 400
IDENTITY_STRIDE = 4
"""Identity values have gaps, like those of a cluster's slices: do not rely on 1..n."""


def create(session: Session, statement: CreateTable) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html"""
    key = require_place(session, statement)
    if statement.temporary:
        session.snapshot()
        if not session.has_temporary:
            catalog.prepare_temporary(session.con)
            session.open_transaction.first_temporary = session.has_temporary = True
    session.lock(key, Mode.EXCLUSIVE)
    if catalog.find(session.con, *key) is not None:
        if statement.if_not_exists:
            session.inform(f'Relation "{key[1]}" already exists and will be skipped')
            return Outcome()
        raise RedshiftError(f'Relation "{key[1]}" already exists', sqlstate="42P07")
    if statement.query is not None:
        return _create_as(session, statement, statement.query, key)
    source = session.relation(statement.like) if statement.like is not None else None
    session.change_catalog(key[0])
    if source is not None:
        _add(session, _like(session, statement, source, key))
    else:
        _add(
            session,
            Relation(
                *key,
                oid=catalog.new_oid(session.con),
                owner=session.user,
                columns=statement.columns,
                constraints=statement.constraints,
                attributes=statement.attributes,
            ),
        )
    return Outcome()


def _like(session: Session, statement: CreateTable, parent: Relation, key: Key) -> Relation:
    """Columns, types, NOT NULL, encoding, distribution, sort keys; defaults on request only."""
    if parent.is_view:
        raise RedshiftError(f'inherited relation "{parent.name}" is not a table', sqlstate="42809")
    columns = tuple(
        replace(
            column,
            default=column.default if statement.including_defaults else None,
            identity=None,
            primary_key=False,
            unique=False,
            references="",
        )
        for column in parent.columns
    )
    return Relation(
        *key,
        oid=catalog.new_oid(session.con),
        owner=session.user,
        columns=columns,
        attributes=parent.attributes,
    )


def _add(session: Session, table: Relation) -> None:
    """Creates the physical table, its sequence and its catalogue row."""
    con = session.con
    _refuse_super(session, table.columns)
    for column in table.columns:
        if column.default is not None:
            translated_default(column.default)
        if column.identity:
            seed, step = column.identity
            session.execute(
                f"CREATE SEQUENCE {identity_sequence(table.oid)} START {seed} "
                f"INCREMENT {step * IDENTITY_STRIDE} MINVALUE -9223372036854775807"
            )
    lines = ", ".join(
        f'"{c.name}" {c.type.duckdb}{" NOT NULL" if c.not_null else ""}' for c in table.columns
    )
    kind = "TEMP TABLE" if table.is_temporary else "TABLE"
    session.execute(f"CREATE {kind} {catalog.physical(*table.key)} ({lines})")
    catalog.put(con, table)
    if not table.is_temporary:
        grant_defaults(session, table)


def _refuse_super(session: Session, columns: Sequence[Column]) -> None:
    """.../dg/r_CREATE_DATABASE.html, Database collation limitations"""
    if session.collation == "case_insensitive" and any(c.type.name == "super" for c in columns):
        raise RedshiftError("SUPER column is not supported in case insensitive database.")


def grant_defaults(session: Session, built: Relation) -> None:
    """What ALTER DEFAULT PRIVILEGES gives on a new table or view."""
    for grantee, privilege, option in catalog.default_privileges_for(
        session.con, session.user, built.schema
    ):
        catalog.put_privilege(
            session.con,
            (grantee, "TABLE", built.schema, built.name, privilege, session.user, option),
        )


def _create_as(session: Session, statement: CreateTable, select: str, key: Key) -> Outcome:
    """CREATE TABLE ... AS: the types of the query's columns; character types have the maximum length."""
    translated = query.prepare(session, Query(select))
    session.change_catalog(key[0])
    described = session.con.execute(f"DESCRIBE {translated.sql}").fetchall()
    columns = columns_of(statement, described, translated.types)
    table = Relation(
        *key,
        oid=catalog.new_oid(session.con),
        owner=session.user,
        columns=columns,
        attributes=statement.attributes,
    )
    _add(session, table)
    rows = session.change(f"INSERT INTO {catalog.physical(*key)} {translated.sql}")
    return Outcome(rows)


def columns_of(
    statement: CreateTable, described: Sequence[Sequence[str]], types: Types
) -> tuple[Column, ...]:
    """The columns that CREATE TABLE AS creates from a query's. Raises RedshiftError."""
    names = statement.names or tuple(row[0] for row in described)
    if len(names) > len(described):
        raise RedshiftError("CREATE TABLE AS specifies too many column names", sqlstate="42601")
    names += tuple(row[0] for row in described[len(names) :])
    for name in names:
        if name != folded(name):
            raise unsupported(f'a column whose name keeps its case, "{name}"')
        if names.count(name) > 1:
            raise RedshiftError(f'column "{name}" duplicated', sqlstate="42701")
    known = types if len(types) == len(names) else (None,) * len(names)
    return tuple(
        Column(name, created_type(row[1], given))
        for name, row, given in zip(names, described, known, strict=True)
    )


def require_place(session: Session, statement: CreateTable) -> Key:
    """Where CREATE TABLE puts it: an existing schema in which the user may create."""
    if statement.temporary and len(statement.name) > 1:
        raise RedshiftError("temporary tables may not specify a schema name", sqlstate="42P16")
    key = session.creation_key(statement.name, temporary=statement.temporary)
    if not statement.temporary:
        session.require_schema(key[0], "CREATE")
    return key


def created_type(duckdb_type: str, known: DataType | None) -> DataType:
    """A column's type; a character type keeps its known length."""
    built = type_of(duckdb_type)
    return known if known is not None and known.is_text and built.is_text else built


def type_of(duckdb_type: str) -> DataType:
    """Redshift's type of a computed column."""
    if duckdb_type.startswith("DECIMAL"):
        precision, scale = duckdb_type[8:-1].split(",")
        return DataType("numeric", precision=int(precision), scale=int(scale))
    names = {
        "BOOLEAN": "bool",
        "TINYINT": "int2",
        "SMALLINT": "int2",
        "INTEGER": "int4",
        "BIGINT": "int8",
        "HUGEINT": "int8",
        "FLOAT": "float4",
        "DOUBLE": "float8",
        "DATE": "date",
        "TIME": "time",
        "TIMESTAMP": "timestamp",
        "TIMESTAMP WITH TIME ZONE": "timestamptz",
        "JSON": "super",
    }
    if duckdb_type in names:
        return DataType(names[duckdb_type])
    if duckdb_type in ("VARCHAR", '"NULL"', "NULL"):
        return DataType("varchar", MAX_VARCHAR)
    raise unsupported(f"a column of type {duckdb_type}")


def alter(session: Session, statement: AlterTable) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html"""
    if statement.action == "column_type" and session.open_transaction.explicit:
        raise RedshiftError(
            "ALTER TABLE ALTER COLUMN cannot run inside a transaction block", sqlstate="25001"
        )
    table = session.relation(statement.name)
    session.lock_table(table, Mode.EXCLUSIVE)
    session.change_catalog(table.schema)
    found = catalog.find(session.con, *table.key)
    if found is None:
        raise undefined_relation(".".join(statement.name))
    session.require_owner(found)
    if found.is_view and statement.action not in ("owner", "rename"):
        raise RedshiftError(f'"{found.name}" is not a table', sqlstate="42809")
    _ACTIONS[statement.action](session, statement, found)
    return Outcome()


def _owner(session: Session, statement: AlterTable, table: Relation) -> None:
    session.require_user(statement.new)
    catalog.put(session.con, replace(table, owner=statement.new))


def _rename(session: Session, statement: AlterTable, table: Relation) -> None:
    new = (table.schema, statement.new)
    session.lock(new, Mode.EXCLUSIVE)
    if catalog.find(session.con, *new) is not None:
        raise RedshiftError(f'Relation "{statement.new}" already exists', sqlstate="42P07")
    if not table.is_view:
        session.execute(f'ALTER TABLE {catalog.physical(*table.key)} RENAME TO "{statement.new}"')
    catalog.rename(session.con, table, statement.new)


def _rename_column(session: Session, statement: AlterTable, table: Relation) -> None:
    column = table.column(statement.old)
    if column is None:
        raise undefined_column(statement.old, table.name)
    if table.column(statement.new) is not None:
        raise RedshiftError(
            f'column "{statement.new}" of relation "{table.name}" already exists', sqlstate="42701"
        )
    session.execute(
        f'ALTER TABLE {catalog.physical(*table.key)} RENAME COLUMN "{column.name}" '
        f'TO "{statement.new}"'
    )
    renamed = replace(column, name=statement.new)
    catalog.put(session.con, table.with_column(renamed, old=column.name))


def _add_column(session: Session, statement: AlterTable, table: Relation) -> None:
    column = statement.required_column
    _refuse_super(session, [column])
    if table.column(column.name) is not None:
        raise RedshiftError(
            f'column "{column.name}" of relation "{table.name}" already exists', sqlstate="42701"
        )
    physical = catalog.physical(*table.key)
    default = ""
    if column.default is not None:
        default = f" DEFAULT ({to_duckdb(translated_default(column.default))})"
    null = " NOT NULL" if column.not_null else ""
    session.execute(
        f'ALTER TABLE {physical} ADD COLUMN "{column.name}" {column.type.duckdb}{null}{default}'
    )
    catalog.put(session.con, replace(table, columns=(*table.columns, column)))


def _drop_column(session: Session, statement: AlterTable, table: Relation) -> None:
    column = table.column(statement.old)
    if column is None:
        raise undefined_column(statement.old, table.name)
    attributes = table.attributes
    if column.distkey or column.name == attributes.distkey:
        raise RedshiftError(f'cannot drop distkey column "{column.name}"', sqlstate="0A000")
    if column.sortkey or column.name in attributes.sortkeys:
        raise RedshiftError(f'cannot drop sortkey column "{column.name}"', sqlstate="0A000")
    _drop_dependents(session, statement, table)
    if len(table.columns) == 1:
        raise RedshiftError("cannot drop the only column of a table", sqlstate="0A000")
    physical = catalog.physical(*table.key)
    session.execute(f'ALTER TABLE {physical} DROP COLUMN "{statement.old}"')
    kept = tuple(c for c in table.columns if c.name != statement.old)
    keys = tuple(key for key in table.constraints if statement.old not in key.columns)
    catalog.put(session.con, replace(table, columns=kept, constraints=keys))


def _drop_dependents(session: Session, statement: AlterTable, table: Relation) -> None:
    """Views that name the column are dropped with CASCADE, else they prevent it."""
    for view in catalog.dependents(session.con, table.key):
        if not _names_column(view, statement.old):
            continue
        if not statement.cascade:
            raise RedshiftError(
                f"cannot drop table {table.name} column {statement.old} because other objects "
                "depend on it",
                hint="Use DROP ... CASCADE to drop the dependent objects too.",
                sqlstate="2BP01",
            )
        session.lock(view.key, Mode.EXCLUSIVE)
        remove(session, view, cascade=True)


def _names_column(view: Relation, column: str) -> bool:
    query = parse_query(view.query)
    named = {found.name.lower() for found in query.find_all(exp.Column)}
    return column in named or query.find(exp.Star) is not None


def _add_constraint(session: Session, statement: AlterTable, table: Relation) -> None:
    """Informational, as in CREATE TABLE; a primary key's columns must already be NOT NULL."""
    added = statement.constraint
    if added is None:
        raise ValueError(statement.action)
    for name in added.columns:
        column = table.column(name)
        if column is None:
            raise RedshiftError(f'column "{name}" named in key does not exist', sqlstate="42703")
        if added.kind == "PRIMARY KEY" and not column.not_null:
            raise RedshiftError(
                f'cannot add a primary key to the nullable column "{name}"', sqlstate="0A000"
            )
    primary = any(c.primary_key for c in table.columns) or any(
        key.kind == "PRIMARY KEY" for key in table.constraints
    )
    if added.kind == "PRIMARY KEY" and primary:
        raise RedshiftError(
            f'multiple primary keys for table "{table.name}" are not allowed', sqlstate="42P16"
        )
    catalog.put(session.con, replace(table, constraints=(*table.constraints, added)))


def _drop_constraint(session: Session, statement: AlterTable, table: Relation) -> None:
    """By its name: as given, or as PostgreSQL would name it (t_pkey, t_a_key, t_a_fkey)."""
    wanted = statement.old
    kept = tuple(k for k in table.constraints if wanted != (k.name or _default_name(table, k)))
    columns = tuple(
        replace(
            column,
            primary_key=column.primary_key and wanted != f"{table.name}_pkey",
            unique=column.unique and wanted != f"{table.name}_{column.name}_key",
            references="" if wanted == f"{table.name}_{column.name}_fkey" else column.references,
        )
        for column in table.columns
    )
    if kept == table.constraints and columns == table.columns:
        raise RedshiftError(f'constraint "{wanted}" does not exist', sqlstate="42704")
    catalog.put(session.con, replace(table, constraints=kept, columns=columns))


def _default_name(table: Relation, key: Constraint) -> str:
    if key.kind == "PRIMARY KEY":
        return f"{table.name}_pkey"
    kind = "key" if key.kind == "UNIQUE" else "fkey"
    return "_".join((table.name, *key.columns, kind))


def _attributes(session: Session, statement: AlterTable, table: Relation) -> None:
    """DISTKEY, DISTSTYLE, SORTKEY and ENCODE: kept in the catalogue, where svv_table_info shows them."""
    for change in statement.changes:
        table = _changed(table, *change)
    catalog.put(session.con, table)


def _changed(table: Relation, what: str, *values: str) -> Relation:
    for name in (
        values if what in ("distkey", "sortkey") else values[:1] if what == "encode" else ()
    ):
        if table.column(name) is None:
            raise undefined_column(name, table.name)
    attributes = table.attributes
    interleaved = attributes.sortstyle == "INTERLEAVED"
    if interleaved and (what in ("distkey", "diststyle", "encode")):
        raise RedshiftError(
            f"ALTER {what.upper()} is not supported for tables with interleaved sort keys",
            sqlstate="0A000",
        )
    if what == "diststyle" and values[0] in ("ALL", "EVEN") and table.is_temporary:
        raise RedshiftError(
            "ALTER DISTSTYLE is not supported for temporary tables", sqlstate="0A000"
        )
    if what in ("distkey", "diststyle"):
        key, style = (values[0], "KEY") if what == "distkey" else ("", values[0])
        columns = tuple(replace(c, distkey=False) for c in table.columns)
        built = replace(attributes, distkey=key, diststyle=style)
        return replace(table, columns=columns, attributes=built)
    if len(values) > _MOST_SORT_KEYS:
        raise RedshiftError(
            f"a sort key has {_MOST_SORT_KEYS} columns at most, not {len(values)}", sqlstate="54011"
        )
    if what.startswith("sortkey"):
        columns = tuple(replace(c, sortkey=False) for c in table.columns)
        style = {"sortkey": "COMPOUND", "sortkey auto": "AUTO"}.get(what, "")
        keys = attributes.sortkeys if what == "sortkey auto" else values
        return replace(
            table, columns=columns, attributes=replace(attributes, sortkeys=keys, sortstyle=style)
        )
    if what == "encode auto":
        return replace(table, columns=tuple(replace(c, encoding="") for c in table.columns))
    name, encoding = values
    column = table.column(name)
    if column is not None and column.encoding == encoding:
        raise RedshiftError(
            f'column "{name}" already has the encoding {encoding}', sqlstate="0A000"
        )
    return table.with_column(replace(column, encoding=encoding)) if column else table


def _column_type(session: Session, statement: AlterTable, table: Relation) -> None:
    """Only VARCHAR columns change, in length. dg/r_ALTER_TABLE.html, ALTER COLUMN TYPE"""
    column, new = table.column(statement.old), statement.type
    if column is None:
        raise undefined_column(statement.old, table.name)
    if new is None or new.name != "varchar" or column.type.name != "varchar":
        raise RedshiftError(f'cannot alter type of column "{column.name}"', sqlstate="0A000")
    keyed = any(column.name in key.columns for key in table.constraints)
    if keyed or column.unique or column.primary_key or column.references:
        raise RedshiftError(
            f'cannot alter type of column "{column.name}" with a constraint', sqlstate="0A000"
        )
    if column.default is not None:
        raise RedshiftError(
            f'cannot alter type of column "{column.name}" with a default', sqlstate="0A000"
        )
    if column.encoding in ("bytedict", "runlength", "text255", "text32k"):
        raise RedshiftError(
            f'cannot alter type of column "{column.name}" with encoding {column.encoding}',
            sqlstate="0A000",
        )
    if any(_names_column(view, column.name) for view in catalog.dependents(session.con, table.key)):
        raise RedshiftError(
            "cannot alter type of a column used by a view or rule", sqlstate="0A000"
        )
    if new.length < column.type.length:
        longest = session.con.execute(
            f'SELECT max(strlen("{column.name}")) FROM {catalog.physical(*table.key)}'
        ).fetchone()
        if longest and (longest[0] or 0) > new.length:
            raise RedshiftError(
                f'cannot alter column "{column.name}": the new size is smaller than the data'
            )
    catalog.put(session.con, table.with_column(replace(column, type=new)))


_ACTIONS = {
    "owner": _owner,
    "rename": _rename,
    "rename_column": _rename_column,
    "add_column": _add_column,
    "drop_column": _drop_column,
    "column_type": _column_type,
    "add_constraint": _add_constraint,
    "drop_constraint": _drop_constraint,
    "attributes": _attributes,
}

__all__ = ["TEMP_SCHEMA", "alter", "create", "created_type", "type_of"]
