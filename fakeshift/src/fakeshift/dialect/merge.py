"""MERGE, with Redshift's own restrictions, as DuckDB's MERGE or as DELETE and INSERT.

https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import Relation
from fakeshift.dialect.defaults import default_expression
from fakeshift.dialect.grammar import to_duckdb
from fakeshift.dialect.storage import store
from fakeshift.dialect.writes import check_identity, is_default
from fakeshift.errors import RedshiftError, syntax_error, undefined_column
from fakeshift.sql.nodes import Column


@dataclass(frozen=True)
class Merge:
    """``check`` finds a row if a target row has several matches; ``then`` runs after ``sql``;
    ``needs`` are the privileges on the target.
    """

    sql: str
    check: str = ""
    then: str = ""
    needs: tuple[str, ...] = ()


def unqualify(tree: exp.Merge) -> None:
    """``dev.s.t.id`` -> ``t.id``: the tables have their plain names in DuckDB's statement."""
    for column in tree.find_all(exp.Column):
        for part in ("db", "catalog"):
            column.set(part, None)


def refuse(tree: exp.Merge, target: Relation, source: Relation) -> None:
    """Raises RedshiftError for what the page's usage notes exclude, before names are translated.

    The messages for a view and for the same table twice are not documented.
    """
    if tree.args.get("with_") is not None:
        raise syntax_error("MERGE")
    for relation in (target, source):
        if relation.is_view:
            raise RedshiftError(f'"{relation.name}" is not a table', sqlstate="42809")
    if target.key == source.key:
        raise RedshiftError("Source and target of MERGE cannot be the same table", sqlstate="0A000")
    if tree.find(exp.Bracket, exp.Dot):
        raise RedshiftError(
            "Partial reference of SUPER column is not supported in MERGE statement.",
            sqlstate="0A000",
        )
    for assignment in _assignments(tree):
        if not isinstance(assignment, exp.EQ) or not isinstance(assignment.this, exp.Column):
            raise syntax_error("SET")
        if assignment.this.table:
            raise syntax_error(".")


def _assignments(tree: exp.Merge) -> list[exp.Expr]:
    whens = tree.args.get("whens")
    then = whens.expressions[0].args["then"] if whens else None
    return list(then.expressions) if isinstance(then, exp.Update) else []


def prepare(tree: exp.Merge, target: Relation, source: Relation) -> Merge:
    """``tree`` already has DuckDB's names and expressions."""
    whens = tree.args.get("whens")
    if whens is None:
        return _remove_duplicates(tree, target, source)
    _set(_assignments(tree), target)
    insert = whens.expressions[1].args["then"]
    insert.set("expression", _cells(insert, target))
    names = [exp.to_identifier(c.name, quoted=True) for c in target.columns]
    insert.set("this", exp.Tuple(expressions=names))
    change = "UPDATE" if _assignments(tree) else "DELETE"
    return Merge(to_duckdb(tree), check=_check(tree), needs=("SELECT", change, "INSERT"))


def _set(assignments: list[exp.Expr], target: Relation) -> None:
    for assignment in assignments:
        column = _column(assignment.this.name, target)
        assignment.set("this", exp.column(exp.to_identifier(column.name, quoted=True)))
        assignment.set("expression", _stored(assignment.expression, column, target))


def _column(name: str, target: Relation) -> Column:
    column = target.column(name)
    if column is None:
        raise undefined_column(name, target.name)
    return column


def _stored(value: exp.Expr, column: Column, target: Relation) -> exp.Expr:
    if is_default(value):
        return default_expression(column, target)
    check_identity(column)
    return store(value, column)


def _cells(insert: exp.Insert, target: Relation) -> exp.Tuple:
    """A value for every column of the target, converted to its type."""
    named = [_column(name.name, target) for name in insert.this.expressions]
    columns = named or list(target.columns)
    row = insert.expression
    values = list(row.expressions) if isinstance(row, exp.Tuple) else [row]
    if len(values) > len(columns):
        raise RedshiftError("INSERT has more expressions than target columns", sqlstate="42601")
    if named and len(values) < len(columns):
        raise RedshiftError("INSERT has more target columns than expressions", sqlstate="42601")
    given = {
        column.name: _stored(value, column, target)
        for column, value in zip(columns, values, strict=False)
    }
    cells = [given.get(c.name) or default_expression(c, target) for c in target.columns]
    return exp.Tuple(expressions=cells)


def _check(tree: exp.Merge) -> str:
    """``SELECT 1 FROM target JOIN source ON ... GROUP BY target.rowid HAVING count(*) > 1``."""
    target = to_duckdb(tree.this)
    source = to_duckdb(tree.args["using"])
    alias = to_duckdb(exp.to_identifier(tree.this.alias, quoted=True))
    return (
        f"SELECT 1 FROM {target} JOIN {source} ON {to_duckdb(tree.args['on'])}"  # noqa: S608
        f" GROUP BY {alias}.rowid HAVING count(*) > 1 LIMIT 1"
    )


def _remove_duplicates(tree: exp.Merge, target: Relation, source: Relation) -> Merge:
    """Matching rows are replaced by the source's, keeping one of several; the others are inserted.

    So: deletes the target's matching rows and inserts all rows of the source.
    """
    if len(target.columns) != len(source.columns):
        raise RedshiftError(
            "MERGE with REMOVE DUPLICATES requires source and target to have the same number of "
            "columns",
            sqlstate="42601",
        )
    delete = exp.Delete(
        this=tree.this.copy(),
        using=[tree.args["using"].copy()],
        where=exp.Where(this=tree.args["on"].copy()),
    )
    cells = ", ".join(
        to_duckdb(store(exp.column(exp.to_identifier(given.name, quoted=True)), column))
        for given, column in zip(source.columns, target.columns, strict=True)
    )
    names = ", ".join(to_duckdb(exp.to_identifier(c.name, quoted=True)) for c in target.columns)
    insert = (
        f"INSERT INTO {catalog.physical(*target.key)} ({names})"  # noqa: S608
        f" SELECT {cells} FROM {catalog.physical(*source.key)}"
    )
    return Merge(to_duckdb(delete), then=insert, needs=("SELECT", "DELETE", "INSERT"))
