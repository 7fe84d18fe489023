"""Parameters in places where Redshift's server does not accept bound values.

The Data API binds them on the server: ``:x`` is ``$1`` of a prepared statement, not text in the
SQL. Its planner requires a constant in some places, which a bound value is not:

- in a subquery: "we cant use bind variables for sub-queries ..., due to limitations on Redshift server"
  (https://github.com/sqlalchemy-redshift/sqlalchemy-redshift/issues/265). The error of EXISTS, IN and
  scalar subqueries is that of a correlated subquery, as reported for one in USING; no report was found for
  derived tables and WITH, so the same is assumed.
- in LIMIT and OFFSET of a query over tables
  (https://github.com/aws/amazon-redshift-python-driver/issues/24,
  https://github.com/aws/amazon-redshift-jdbc-driver/issues/43).
"""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp

from fakeshift.dialect.grammar import parse_query
from fakeshift.errors import RedshiftError, compute_error, correlated_subquery
from fakeshift.sql.parameters import substitute, words
from fakeshift.sql.template import VALUE_MARKS

_MARK = chr(VALUE_MARKS[-1])
_KEPT_TEXTS = 500


def refuse(text: str) -> None:
    """Raises RedshiftError for a parameter in a place that does not accept one."""
    problem = _problem(text)
    if problem == "subquery":
        raise correlated_subquery()
    if problem == "limit":
        raise compute_error("Not implemented", 1001, "'IsA(cons, Const)' - ")


@lru_cache(_KEPT_TEXTS)
def _problem(text: str) -> str:
    """The problem: ``subquery``, ``limit`` or "", even if another one comes first."""
    try:
        tree = parse_query(substitute(text, words(text), lambda _: f"'{_MARK}'"))
    except RedshiftError:
        return ""
    bound = [literal for literal in tree.find_all(exp.Literal) if literal.this == _MARK]
    if any(map(_is_in_subquery, bound)):
        return "subquery"
    has_tables = tree.find(exp.Table) is not None
    in_limit = any(literal.find_ancestor(exp.Limit, exp.Offset) for literal in bound)
    return "limit" if has_tables and in_limit else ""


def _is_in_subquery(literal: exp.Expr) -> bool:
    """Whether it is inside a query block of another statement; INSERT's own query does not count."""
    child: exp.Expr | None = literal.find_ancestor(exp.Query)
    while child is not None and isinstance(
        child.parent, (exp.Subquery, exp.SetOperation, exp.Paren)
    ):
        child = child.parent
    return child is not None and not isinstance(child.parent, (exp.Insert, type(None)))
