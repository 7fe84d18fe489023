"""Views, schemas, users, groups, comments, and DROP of all of them."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import Grantee, Relation, Schema
from fakeshift.commands.removal import remove
from fakeshift.commands.tables import created_type, grant_defaults
from fakeshift.dialect import foreign, intervals
from fakeshift.dialect.grammar import parse_query
from fakeshift.dialect.names import fold, is_cte, table_name
from fakeshift.dialect.translate import translate
from fakeshift.engine.locks import Mode
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.session import Session
from fakeshift.errors import (
    RedshiftError,
    undefined_column,
    undefined_relation,
    undefined_schema,
    unsupported,
)
from fakeshift.sql import nodes
from fakeshift.system import views


def create_view(session: Session, statement: nodes.CreateView) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html

    A view is kept as its Redshift text with qualified names and expanded in queries that use it.
    A late-binding view is not checked: its tables need not exist.
    """
    key = session.creation_key(statement.name)
    session.require_schema(key[0], "CREATE")
    session.lock(key, Mode.EXCLUSIVE)
    session.change_catalog(key[0])
    old = catalog.find(session.con, *key)
    if old is not None and not (statement.replace and old.is_view):
        raise RedshiftError(f'Relation "{key[1]}" already exists', sqlstate="42P07")
    query, depends = _qualified(session, statement)
    columns: tuple[nodes.Column, ...] = ()
    if not statement.late_binding:
        translated = translate(query, session)
        views.materialise(session.con, translated.system, session)
        described = session.con.execute(f"DESCRIBE {translated.sql}").fetchall()
        names = statement.names + tuple(row[0] for row in described[len(statement.names) :])
        known = translated.types if len(translated.types) == len(names) else (None,) * len(names)
        columns = tuple(
            nodes.Column(name, created_type(row[1], given))
            for name, row, given in zip(names, described, known, strict=True)
        )
        _check_same_columns(old, columns)
    view = Relation(
        *key,
        oid=old.oid if old else catalog.new_oid(session.con),
        owner=old.owner if old else session.user,
        kind="view",
        columns=columns,
        query=query,
        late_binding=statement.late_binding,
        depends_on=tuple(depends),
    )
    catalog.put(session.con, view)
    if old is None:
        grant_defaults(session, view)
    return Outcome()


def _written(tree: exp.Expr) -> str:
    """The query as text that can be read again: sqlglot would write SYSDATE as a call."""
    copy = tree.copy()
    for node in list(copy.find_all(exp.Anonymous)):
        if not node.expressions and node.name.upper() == "SYSDATE":
            node.replace(exp.Var(this="SYSDATE"))
    return copy.sql(dialect="redshift")


def _check_same_columns(old: Relation | None, columns: tuple[nodes.Column, ...]) -> None:
    """CREATE OR REPLACE VIEW may add columns at the end, nothing else."""
    if old is None or old.late_binding:
        return
    if len(columns) < len(old.columns):
        raise RedshiftError("cannot drop columns from view", sqlstate="42P16")
    for before, now in zip(old.columns, columns, strict=False):
        if before.name != now.name:
            raise RedshiftError(
                f'cannot change name of view column "{before.name}"', sqlstate="42P16"
            )


def _qualified(session: Session, statement: nodes.CreateView) -> tuple[str, list[tuple[str, str]]]:
    """The view's query with every table's schema written out, and the tables it depends on."""
    tree = parse_query(statement.query)
    foreign.refuse(tree)
    for node in list(tree.find_all(exp.Interval)):  # sqlglot writes no qualifiers
        node.replace(intervals.plain(node))
    written = _written(tree)
    fold(tree, session)
    if not statement.late_binding:
        now, fixed = tree, parse_query(written)
        fold(fixed, None)
        if now != fixed or any("attribute" in name.meta for name in now.find_all(exp.Identifier)):
            raise unsupported("a view, not late-binding, whose names keep their case")
    depends: list[tuple[str, str]] = []
    for table in list(tree.find_all(exp.Table)):
        name = table_name(table)
        if len(name) == 1 and is_cte(table, name[0]):
            continue
        if views.system_name(name) is not None:
            continue
        if statement.late_binding:
            if len(name) < 2:
                raise RedshiftError(
                    "All the relation names inside should be qualified when creating VIEW WITH NO "
                    "SCHEMA BINDING.",
                    sqlstate="42601",
                )
            continue
        relation = session.relation(name)
        depends.append(relation.key)
        table.set("db", exp.to_identifier(relation.schema, quoted=True))
        table.set("catalog", None)
    return written if statement.late_binding else _written(tree), depends


def create_schema(session: Session, statement: nodes.CreateSchema) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_SCHEMA.html"""
    if statement.name.startswith("pg_"):
        raise RedshiftError(
            f'unacceptable schema name "{statement.name}"',
            detail='The prefix "pg_" is reserved for system schemas.',
            sqlstate="42939",
        )
    if statement.owner:
        session.require_user(statement.owner)
    session.lock((statement.name, ""), Mode.EXCLUSIVE)
    if catalog.find_schema(session.con, statement.name) is not None:
        if statement.if_not_exists:
            return Outcome()
        raise RedshiftError(f'schema "{statement.name}" already exists', sqlstate="42P06")
    session.require_database("CREATE")
    session.change_catalog(statement.name)
    session.execute(f"CREATE SCHEMA {catalog.DATABASE}.{catalog.physical_schema(statement.name)}")
    owner = statement.owner or session.user
    oid = catalog.new_oid(session.con)
    catalog.put_schema(session.con, Schema(statement.name, oid, owner, statement.quota))
    return Outcome()


def alter_schema(session: Session, statement: nodes.AlterSchema) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_SCHEMA.html: OWNER TO"""
    schema = catalog.find_schema(session.con, statement.name)
    if schema is None:
        raise undefined_schema(statement.name)
    session.require_schema_owner(schema)
    session.require_user(statement.value)
    session.change_catalog(statement.name)
    catalog.put_schema(session.con, replace(schema, owner=statement.value))
    return Outcome()


def create_user(session: Session, statement: nodes.CreateUser) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html"""
    session.require_superuser("create user")
    session.snapshot()
    if catalog.find_grantee(session.con, statement.name, "user") is not None:
        raise RedshiftError(f'user "{statement.name}" already exists', sqlstate="42710")
    oid = catalog.new_oid(session.con)
    user = Grantee(statement.name, "user", oid, statement.superuser)
    catalog.put_grantee(session.con, user)
    password = statement.password and catalog.stored_password(user.name, statement.password)
    catalog.put_password(session.con, user.name, password)
    return Outcome()


def create_group(session: Session, statement: nodes.CreateGroup) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_GROUP.html, r_CREATE_ROLE.html"""
    kind = statement.kind.lower()
    session.require_superuser(f"create {kind}")
    session.snapshot()
    if catalog.find_grantee(session.con, statement.name, kind) is not None:
        raise RedshiftError(f'{kind} "{statement.name}" already exists', sqlstate="42710")
    oid = catalog.new_oid(session.con)
    catalog.put_grantee(session.con, Grantee(statement.name, kind, oid))
    for user in statement.users:
        session.require_user(user)
        catalog.add_member(session.con, user, kind, statement.name)
    return Outcome()


def alter_group(session: Session, statement: nodes.AlterGroup) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_GROUP.html"""
    session.require_superuser("alter group")
    session.snapshot()
    if catalog.find_grantee(session.con, statement.name, "group") is None:
        raise RedshiftError(f'group "{statement.name}" does not exist', sqlstate="42704")
    change = catalog.add_member if statement.action == "ADD" else catalog.remove_member
    for user in statement.users:
        session.require_user(user)
        change(session.con, user, "group", statement.name)
    return Outcome()


def drop(session: Session, statement: nodes.Drop) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_TABLE.html and its like"""
    for name in statement.names:
        if statement.kind in ("TABLE", "VIEW"):
            _drop_relation(session, statement, name)
        elif statement.kind == "SCHEMA":
            _drop_schema(session, statement, name[0])
        else:
            _drop_grantee(session, statement, name[0])
    return Outcome()


def _drop_relation(session: Session, statement: nodes.Drop, name: nodes.Name) -> None:
    spoken = statement.kind.lower()
    found = session.find_relation(name)
    if found is None:
        shown = ".".join(name[-2:])
        if statement.if_exists:
            session.inform(f'{spoken.capitalize()} "{shown}" does not exist and will be skipped')
            return
        if len(name) > 1 and catalog.find_schema(session.con, name[-2]) is None:
            raise undefined_schema(name[-2])
        raise RedshiftError(f'{spoken.capitalize()} "{shown}" does not exist', sqlstate="42P01")
    if found.is_view != (statement.kind == "VIEW"):
        raise RedshiftError(
            f'"{found.name}" is not a {spoken}',
            hint=f"Use DROP {'VIEW' if found.is_view else 'TABLE'} to remove it.",
            sqlstate="42809",
        )
    session.require_owner(found)
    session.lock_table(found, Mode.EXCLUSIVE)
    session.change_catalog(found.schema)
    still = catalog.find(session.con, *found.key)
    if still is None:
        if statement.if_exists:
            return
        raise undefined_relation(".".join(name))
    session.touch((), [found.key])
    remove(session, still, cascade=statement.cascade)


def _drop_schema(session: Session, statement: nodes.Drop, name: str) -> None:
    name = name.lower()
    schema = catalog.find_schema(session.con, name)
    if schema is None:
        if statement.if_exists:
            return
        raise undefined_schema(name)
    session.require_schema_owner(schema)
    session.lock((name, ""), Mode.EXCLUSIVE)
    session.change_catalog(name)
    relations = catalog.all_relations(session.con, name)
    if relations and not statement.cascade:
        raise RedshiftError(
            f"cannot drop schema {name} because other objects depend on it",
            hint="Use DROP ... CASCADE to drop the dependent objects too.",
            sqlstate="2BP01",
        )
    for relation in relations:
        session.lock(relation.key, Mode.EXCLUSIVE)
        if catalog.find(session.con, *relation.key) is not None:
            remove(session, relation, cascade=True)
    catalog.drop_schema(session.con, name)
    session.execute(f"DROP SCHEMA {catalog.DATABASE}.{catalog.physical_schema(name)}")


def _holds(session: Session, name: str, kind: str) -> str:
    """The reason why a user, group or role cannot be dropped, or "".

    https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_USER.html, r_DROP_GROUP.html; as it is seen:
    https://github.com/awslabs/amazon-redshift-utils/pull/156
    """
    con = session.con
    if kind == "user":
        owners = {schema.owner for schema in catalog.all_schemas(con)}
        if name in owners | {relation.owner for relation in catalog.all_relations(con)}:
            return "owns some object"
    grantee = name if kind == "user" else f"{kind}:{name}"
    granted = any(privilege[0] == grantee for privilege in catalog.all_privileges(con))
    to_come = any(grantee in pair for pair in catalog.all_default_privileges(con))
    return "has a privilege on some object" if granted or to_come else ""


def _drop_grantee(session: Session, statement: nodes.Drop, name: str) -> None:
    kind = statement.kind.lower()
    session.require_superuser(f"drop {kind}")
    session.snapshot()
    if catalog.find_grantee(session.con, name, kind) is None:
        if statement.if_exists:
            return
        raise RedshiftError(f'{kind} "{name}" does not exist', sqlstate="42704")
    problem = _holds(session, name, kind)
    if problem:
        raise RedshiftError(
            f'{kind} "{name}" cannot be dropped because the {kind} {problem}', sqlstate="55006"
        )
    catalog.drop_grantee(session.con, name, kind)
    session.database.forget_user(name)


def comment(session: Session, statement: nodes.Comment) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_COMMENT.html"""
    text = statement.text or ""
    if statement.kind == "SCHEMA":
        if catalog.find_schema(session.con, statement.name[-1]) is None:
            raise undefined_schema(statement.name[-1])
        return Outcome()
    if statement.kind == "COLUMN":
        relation = session.relation(statement.name[:-1])
        column = statement.name[-1]
        if relation.column(column) is None:
            raise undefined_column(column, relation.name)
        comments = {**relation.column_comments, column: text}
        changed = replace(relation, column_comments=comments)
    else:
        changed = replace(session.relation(statement.name), comment=text)
    session.require_owner(changed)
    session.lock_table(changed, Mode.EXCLUSIVE)
    session.change_catalog(changed.schema)
    catalog.put(session.con, changed)
    return Outcome()
