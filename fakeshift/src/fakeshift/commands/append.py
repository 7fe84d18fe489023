"""ALTER TABLE APPEND: all rows of one table moved to another, and committed.

https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE_APPEND.html
"""
# ruff: noqa: S608 - names come quoted from the catalogue

from __future__ import annotations

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import Relation
from fakeshift.dialect.defaults import default_expression
from fakeshift.dialect.grammar import to_duckdb
from fakeshift.engine.locks import Mode
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.session import Session
from fakeshift.errors import RedshiftError, in_transaction_block, unsupported
from fakeshift.sql.nodes import Append, Column


def run(session: Session, statement: Append) -> Outcome:
    """Rows go from the source to the target; columns are matched by name, types must be the same.

    Raises RedshiftError inside a transaction block, for a view or a temporary table, for columns
    that do not match. The wording of that last error is not documented.
    """
    if session.open_transaction.explicit:
        raise in_transaction_block("ALTER TABLE APPEND")
    target, source = session.relation(statement.target), session.relation(statement.source)
    for table in (target, source):
        if table.is_view or table.is_temporary:
            raise RedshiftError(
                f'ALTER TABLE APPEND requires permanent tables, "{table.name}" is none',
                sqlstate="42809",
            )
        session.require_owner(table)
    session.lock_all(dict.fromkeys((target.key, source.key), Mode.EXCLUSIVE))
    moved = _moved(statement, target, source)
    session.snapshot()
    session.touch([source.key], [target.key, source.key])
    names = ", ".join(f'"{c.name}"' for c in target.columns)
    cells = ", ".join(
        f'"{c.name}"' if c in moved else to_duckdb(default_expression(c, target))
        for c in target.columns
    )
    rows = session.change(
        f"INSERT INTO {catalog.physical(*target.key)} ({names})"
        f" SELECT {cells} FROM {catalog.physical(*source.key)}"
    )
    session.change(f"DELETE FROM {catalog.physical(*source.key)}")
    return Outcome(rows)


def _moved(statement: Append, target: Relation, source: Relation) -> list[Column]:
    """The target's columns that the source has too."""
    moved = [c for c in target.columns if source.column(c.name) is not None]
    for column in moved:
        given = source.column(column.name)
        if column.identity or (given is not None and given.identity):
            raise unsupported("ALTER TABLE APPEND of an identity column")
        if given is not None and (given.type, given.not_null) != (column.type, column.not_null):
            raise RedshiftError(
                f'column "{column.name}" differs between "{target.name}" and "{source.name}"'
            )
    extra = [c.name for c in source.columns if target.column(c.name) is None]
    lacking = [c.name for c in target.columns if c not in moved]
    if extra and not statement.ignore_extra:
        raise RedshiftError(f'column "{extra[0]}" of "{source.name}" is not in "{target.name}"')
    if lacking and not statement.fill_target:
        raise RedshiftError(f'column "{lacking[0]}" of "{target.name}" is not in "{source.name}"')
    return moved
