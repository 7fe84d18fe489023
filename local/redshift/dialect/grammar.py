"""The SQL that we read: sqlglot's Redshift, with every function kept under its own name.

sqlglot would turn functions into canonical ones while it parses and back into DuckDB's when it
prints, with some meaning lost each way (DATEADD, LISTAGG, GETDATE, ...). Here a function stays
``exp.Anonymous`` until ``dialect.functions`` says what it is; one that is not listed there does
not exist.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import ParseError, TokenError
from sqlglot.generators.duckdb import DuckDBGenerator
from sqlglot.parsers.redshift import RedshiftParser
from sqlglot.tokenizer_core import Token

from local.redshift.engine.errors import RedshiftError, syntax_error

_KEPT_FUNCTION_PARSERS = ("CAST", "CONVERT", "EXTRACT", "POSITION", "SUBSTRING", "TRIM", "TRY_CAST")


class RedshiftSource(Redshift):
    """Redshift's SQL as text goes in."""

    class Tokenizer(Redshift.Tokenizer):
        COMMANDS: ClassVar[set[Any]] = set()  # no statement is swallowed as one string

    class Parser(RedshiftParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: RedshiftParser.FUNCTION_PARSERS[name] for name in _KEPT_FUNCTION_PARSERS
        }
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            "ANY": RedshiftParser.NO_PAREN_FUNCTION_PARSERS["ANY"],
            "CASE": RedshiftParser.NO_PAREN_FUNCTION_PARSERS["CASE"],
            "SYSDATE": lambda self: self.expression(exp.Anonymous(this="SYSDATE", expressions=[])),
        }


class DuckTarget(DuckDB):
    """DuckDB's SQL as text comes out; nulls sort as Redshift's, which the connection is set to."""

    NULL_ORDERING = Redshift.NULL_ORDERING

    class Generator(DuckDBGenerator):
        def ignorenulls_sql(self, expression: exp.IgnoreNulls) -> str:
            """``last_value(a) IGNORE NULLS`` -> ``last_value(a IGNORE NULLS)``."""
            inner = self.sql(expression, "this")
            if isinstance(expression.this, exp.Anonymous):
                return f"{inner[:-1]} IGNORE NULLS)"
            return f"{inner} IGNORE NULLS"

        def respectnulls_sql(self, expression: exp.RespectNulls) -> str:
            """The default."""
            return self.sql(expression, "this")


def tokenize(sql: str) -> list[Token]:
    """The tokens of a text; RedshiftError for an unterminated string or comment."""
    try:
        return list(RedshiftSource().tokenize(sql))
    except TokenError as error:
        raise RedshiftError(f"syntax error: {error}", sqlstate="42601") from error


def parse_query(sql: str) -> exp.Expr:
    """One query or DML statement as sqlglot's tree; RedshiftError where it does not parse."""
    try:
        trees: list[exp.Expr] = [tree for tree in RedshiftSource().parse(sql) if tree is not None]
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        raise syntax_error(str(first.get("highlight") or "")) from error
    except TokenError as error:
        raise RedshiftError(f"syntax error: {error}", sqlstate="42601") from error
    if len(trees) != 1:
        raise RedshiftError("cannot insert multiple commands into a prepared statement")
    return trees[0]


def parse_expression(sql: str) -> exp.Expr:
    """One scalar expression, such as a column's default."""
    tree = parse_query(f"SELECT {sql}")
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1:
        raise syntax_error(sql)
    expression: exp.Expr = tree.expressions[0]
    return expression


def to_duckdb(tree: exp.Expr) -> str:
    """DuckDB's text of a translated tree."""
    return tree.sql(dialect=DuckTarget, comments=False)
