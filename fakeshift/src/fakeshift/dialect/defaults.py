"""A column's value if the statement has none: default, identity or NULL."""

from __future__ import annotations

from sqlglot import exp

from fakeshift.catalog.model import Relation
from fakeshift.dialect import rules
from fakeshift.dialect.grammar import parse_expression
from fakeshift.dialect.storage import store
from fakeshift.errors import RedshiftError
from fakeshift.sql.nodes import Column


def identity_sequence(oid: int) -> str:
    """DuckDB's sequence behind a table's IDENTITY column."""
    return f"warehouse.rs_catalog.identity_{oid}"


def default_expression(column: Column, table: Relation) -> exp.Expr:
    """``nextval('...')``, the DEFAULT expression in DuckDB's terms, or NULL."""
    if column.identity:
        sequence = exp.Literal.string(identity_sequence(table.oid))
        return exp.Anonymous(this="nextval", expressions=[sequence])
    if column.default is None:
        return exp.Null()
    return store(translated_default(column.default), column)


def translated_default(text: str) -> exp.Expr:
    """A DEFAULT clause in DuckDB's terms: it may use functions but no columns."""
    tree = parse_expression(text)
    if tree.find(exp.Column, exp.Subquery):
        raise RedshiftError("cannot use column references in default expression", sqlstate="42P10")
    return rules.apply(exp.Paren(this=tree), None)
