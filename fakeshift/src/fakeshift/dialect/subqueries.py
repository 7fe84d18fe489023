"""Leader-node functions, and clauses in places where Redshift does not accept them.

https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html
"""

from __future__ import annotations

from sqlglot import exp

from fakeshift.errors import RedshiftError, syntax_error

_LEADER_ONLY = frozenset(
    {"current_schema", "current_schemas", "has_database_privilege", "has_schema_privilege",
     "has_table_privilege", "factorial", "age", "current_time", "current_timestamp", "localtime",
     "localtimestamp", "isfinite", "now", "getbit", "get_bit", "get_byte", "set_bit", "set_byte",
     "to_ascii", "version", "generate_series"}
)  # fmt: skip
"""The page's list without SUBSTR, which is common on tables; the last two are from reports."""
_KEYWORDS = (
    exp.CurrentSchema, exp.CurrentTime, exp.CurrentTimestamp, exp.Localtime, exp.Localtimestamp,
)  # fmt: skip


def refuse_leader_only(tree: exp.Expr) -> None:
    """Raises RedshiftError for a query over tables that calls a leader-node function."""
    called = any(str(call.this).lower() in _LEADER_ONLY for call in tree.find_all(exp.Anonymous))
    if called or tree.find(*_KEYWORDS) is not None:
        raise RedshiftError(
            "Specified types or functions (one per INFO message) not supported on Redshift tables.",
            sqlstate="0A000",
        )


def is_distributed(view: str) -> bool:
    """Whether a query of a system view runs on the compute nodes, as for a table: all except PG_ and
    information_schema.
    """
    return view.startswith(("sys_", "svv_", "svl_", "stl_", "stv_"))


def refuse_unaliased_qualify(tree: exp.Expr) -> None:
    """Right after FROM the relation needs an alias: without one QUALIFY is read as the alias.

    https://docs.aws.amazon.com/redshift/latest/dg/r_QUALIFY_clause.html
    """
    for select in tree.find_all(exp.Select):
        if select.args.get("qualify") is None or any(
            select.args.get(key) for key in ("where", "group", "having")
        ):
            continue
        sources = [select.args.get("from_"), *(select.args.get("joins") or [])]
        if (
            sources[-1] is not None
            and not sources[-1].this.alias
            and not sources[-1].args.get("on")
        ):
            raise syntax_error("QUALIFY")


def refuse_hidden_order(tree: exp.Expr) -> None:
    """SELECT DISTINCT can only order by selected expressions."""
    for select in tree.find_all(exp.Select):
        order = select.args.get("order")
        if order is None or select.args.get("distinct") is None or select.is_star:
            continue
        shown = {item.alias_or_name for item in select.expressions}
        shown |= {_plain(item) for item in select.expressions}
        for item in order.expressions:
            if isinstance(item.this, exp.Literal) or item.this.alias_or_name in shown:
                continue
            if _plain(item.this) not in shown:
                raise RedshiftError(
                    "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                    sqlstate="42P10",
                )


def _plain(item: exp.Expr) -> str:
    inner = item.this if isinstance(item, exp.Alias) else item
    while isinstance(inner, exp.Paren):  # DISTINCT (a) is not a function
        inner = inner.this
    return str(inner.sql(dialect="redshift"))
