"""What INSERT, UPDATE and DELETE need beyond their expressions.

The physical tables have no defaults, identities or lengths: every INSERT names every column, and
every value is converted to its column's type.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import Relation
from fakeshift.dialect.defaults import default_expression
from fakeshift.dialect.grammar import to_duckdb
from fakeshift.dialect.storage import store
from fakeshift.errors import RedshiftError, undefined_column, unsupported
from fakeshift.sql.nodes import Column

Describe = Callable[[str], list[str]]
"""DuckDB's types of the columns of a DuckDB query."""


def refuse_foreign_clauses(tree: exp.Expr) -> None:
    """ON CONFLICT, RETURNING and other clauses that PostgreSQL has and Redshift does not.

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
    """
    for key, word in (("conflict", "ON"), ("returning", "RETURNING")):
        if tree.args.get(key) is not None:
            raise RedshiftError(f'syntax error at or near "{word}"', sqlstate="42601")
    for key in ("overwrite", "alternative", "where", "order", "limit"):
        if isinstance(tree, exp.Insert) and tree.args.get(key):
            raise unsupported(f"INSERT ... {key.upper()}")
    source = tree.args.get("from_")
    if isinstance(tree, exp.Update) and source is not None:
        outer = [join for join in source.find_all(exp.Join) if join.args.get("side")]
        if any(join.find_ancestor(exp.Select) is None for join in outer):
            raise RedshiftError(  # .../dg/r_UPDATE.html#r_UPDATE_usage_notes
                "Target table must be part of an equijoin predicate", sqlstate="0A000"
            )
    if isinstance(tree, exp.Delete) and (tree.args.get("order") or tree.args.get("limit")):
        raise RedshiftError('syntax error at or near "LIMIT"', sqlstate="42601")


def prepare(tree: exp.Expr, target: Relation, describe: Describe) -> exp.Expr:
    """The statement with its values converted to the target's types."""
    if isinstance(tree, exp.Insert):
        return _insert(tree, target, describe)
    return _update(tree, target) if isinstance(tree, exp.Update) else tree


def _insert(tree: exp.Insert, target: Relation, describe: Describe) -> exp.Expr:
    named = _insert_columns(tree, target)
    explicit = isinstance(tree.this, exp.Schema)
    source = tree.expression
    if tree.args.get("default") or source is None:
        row = exp.Tuple(expressions=[default_expression(c, target) for c in target.columns])
        return _insert_into(target, exp.Values(expressions=[row]))
    if isinstance(source, exp.Values):
        return _insert_values(target, named, source, explicit=explicit)
    if isinstance(source, exp.Subquery) and not source.alias:
        source = source.this
    if tree.args.get("with_") is not None:
        source.set("with_", tree.args["with_"])
    return _insert_query(target, named, source, describe, explicit=explicit)


def _insert_columns(tree: exp.Insert, target: Relation) -> list[Column]:
    if not isinstance(tree.this, exp.Schema):
        return list(target.columns)
    found = []
    for identifier in tree.this.expressions:
        column = target.column(identifier.name)
        if column is None:
            raise undefined_column(identifier.name, target.name)
        if column in found:
            raise RedshiftError(
                f'column "{column.name}" specified more than once', sqlstate="42701"
            )
        found.append(column)
    return found


def check_identity(column: Column) -> None:
    """Raises RedshiftError for a value given to an IDENTITY column that generates its own."""
    if column.identity and not column.identity_by_default:
        raise RedshiftError("cannot set an identity column to a value", sqlstate="42601")


def _insert_into(target: Relation, source: exp.Expr) -> exp.Expr:
    table = exp.to_table(catalog.physical(*target.key), dialect="duckdb")
    names = [exp.to_identifier(c.name, quoted=True) for c in target.columns]
    return exp.Insert(this=exp.Schema(this=table, expressions=names), expression=source)


def is_default(node: exp.Expr) -> bool:
    """Whether a value is the word DEFAULT."""
    named = isinstance(node, (exp.Var, exp.Column)) and node.name.upper() == "DEFAULT"
    return named and not (isinstance(node, exp.Column) and node.table)


def _insert_values(
    target: Relation, named: list[Column], source: exp.Values, *, explicit: bool
) -> exp.Expr:
    rows = []
    sizes = {len(r.expressions) if isinstance(r, exp.Tuple) else 1 for r in source.expressions}
    if len(sizes) > 1:
        raise RedshiftError("VALUES lists must all be the same length", sqlstate="42601")
    if len(source.expressions) > 1 and source.find(exp.Query):
        raise RedshiftError(
            "Subqueries are not supported in multi-row INSERT VALUES statements", sqlstate="0A000"
        )
    for row in source.expressions:
        values = list(row.expressions) if isinstance(row, exp.Tuple) else [row]
        _check_count(len(values), named, explicit=explicit)
        given = {}
        for column, value in zip(named, values, strict=False):
            if is_default(value):
                given[column.name] = default_expression(column, target)
            else:
                check_identity(column)
                _check_boolean(value, column)
                given[column.name] = store(value, column)
        cells = [given.get(c.name) or default_expression(c, target) for c in target.columns]
        rows.append(exp.Tuple(expressions=cells))
    return _insert_into(target, exp.Values(expressions=rows))


def _check_boolean(value: exp.Expr, column: Column) -> None:
    """A BOOLEAN is not implicitly cast to a number or a date."""
    if isinstance(value, exp.Boolean) and column.type.name not in ("bool", "super"):
        raise RedshiftError(
            f'column "{column.name}" is of type {column.type.spoken} but expression is of type '
            "boolean",
            hint="You will need to rewrite or cast the expression.",
            sqlstate="42804",
        )


def _check_count(count: int, named: list[Column], *, explicit: bool) -> None:
    if count > len(named):
        raise RedshiftError("INSERT has more expressions than target columns", sqlstate="42601")
    if explicit and count < len(named):
        raise RedshiftError("INSERT has more target columns than expressions", sqlstate="42601")


def _insert_query(
    target: Relation, named: list[Column], source: exp.Expr, describe: Describe, *, explicit: bool
) -> exp.Expr:
    """``INSERT INTO t (a) SELECT x FROM u`` -> ``INSERT INTO t (a, b) SELECT store(c0), <default of
    b> FROM (SELECT x FROM u) AS rs_source (c0)``.
    """
    types = describe(to_duckdb(source))
    _check_count(len(types), named, explicit=explicit)
    named = named[: len(types)]
    for column in named:
        check_identity(column)
    _check_types(named, types, _literal_places(source))
    aliases = [exp.to_identifier(f"c{number}", quoted=True) for number in range(len(named))]
    given = {
        column.name: store(exp.column(alias.copy()), column)
        for column, alias in zip(named, aliases, strict=True)
    }
    cells = [given.get(c.name) or default_expression(c, target) for c in target.columns]
    alias = exp.TableAlias(this=exp.to_identifier("rs_source", quoted=True), columns=aliases)
    query = exp.Select(expressions=cells).from_(exp.Subquery(this=source, alias=alias))
    return _insert_into(target, query)


def _literal_places(source: exp.Expr) -> set[int]:
    """The positions of untyped literals in the select list: they get the column's type."""
    if not isinstance(source, exp.Query) or source.is_star:
        return set()
    found = set()
    for number, item in enumerate(source.selects):
        inner = item.this if isinstance(item, exp.Alias) else item
        if isinstance(inner, exp.Null) or (isinstance(inner, exp.Literal) and inner.is_string):
            found.add(number)
    return found


def _update(tree: exp.Update, target: Relation) -> exp.Expr:
    for assignment in tree.expressions:
        if not isinstance(assignment, exp.EQ) or not isinstance(assignment.this, exp.Column):
            raise unsupported("UPDATE SET (columns) = ...")
        if assignment.this.table:  # .../dg/r_UPDATE.html: "UPDATE tab SET tab.col = 1 is invalid"
            raise undefined_column(assignment.this.table, target.name)
        column = target.column(assignment.this.name)
        if column is None:
            raise undefined_column(assignment.this.name, target.name)
        assignment.set("this", exp.column(exp.to_identifier(column.name, quoted=True)))
        if is_default(assignment.expression):
            assignment.set("expression", default_expression(column, target))
        else:
            check_identity(column)
            assignment.set("expression", store(assignment.expression, column))
    return tree


_NUMBERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL"}
)
_MOMENTS = frozenset({"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"})


def _check_types(columns: list[Column], types: list[str], literals: set[int]) -> None:
    """Raises RedshiftError if there is no implicit cast, for example VARCHAR to INTEGER.

    https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html#r_Type_conversion
    """
    for number, (column, given) in enumerate(zip(columns, types, strict=True)):
        source = given.split("(")[0]
        wanted = column.type.duckdb.split("(")[0]
        fits = (
            number in literals
            or source in ('"NULL"', "NULL", wanted)
            or wanted in ("VARCHAR", "JSON")
            or (source in _NUMBERS and wanted in _NUMBERS)
            or (source in _MOMENTS and wanted in _MOMENTS)
        )
        if not fits:
            spoken = {"VARCHAR": "character varying"}.get(source, source.lower())
            raise RedshiftError(
                f'column "{column.name}" is of type {column.type.spoken} but expression is of '
                f"type {spoken}",
                hint="You will need to rewrite or cast the expression.",
                sqlstate="42804",
            )
