"""Names: folds them to lower case, finds tables, expands views, names the columns of results."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import Key, Relation
from fakeshift.dialect import aliases, comparisons, pivots, supers, untyped
from fakeshift.dialect.grammar import parse_query, to_duckdb
from fakeshift.dialect.scope import Scope
from fakeshift.errors import RedshiftError, syntax_error, undefined_column, unsupported
from fakeshift.sql.reserved import RESERVED
from fakeshift.sql.tokens import folded
from fakeshift.system import views

_MAX_VIEW_DEPTH = 32
_OID = "oid"
"""A reserved word, and a column of the catalogue that queries read by its bare name."""


@dataclass
class Found:
    """What a statement reads: user tables, system views; whether the target is only written.

    ``named`` are the tables and views in its text; ``tables`` also has those behind the views.
    ``query_id``: the only query whose rows of the one system view are needed; "" for all.
    """

    tables: set[Key] = field(default_factory=set)
    named: set[Key] = field(default_factory=set)
    system: set[str] = field(default_factory=set)
    query_id: str = ""
    target_only: bool = False


def fold(tree: exp.Expr, scope: Scope | None) -> None:
    """``SELECT "Id" FROM T`` -> ``SELECT "id" FROM t``: quoted names fold too, unless
    enable_case_sensitive_identifier is on in ``scope``; without a scope it is off.

    The meta ``attribute`` is the name as an attribute of a SUPER value (``supers``): unquoted ones
    keep their case if enable_case_sensitive_super_attribute is on.
    https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
    https://docs.aws.amazon.com/redshift/latest/dg/r_enable_case_sensitive_super_attribute.html
    """
    names, attributes = (
        scope is not None and scope.is_on(f"enable_case_sensitive_{what}")
        for what in ("identifier", "super_attribute")
    )
    for identifier in tree.find_all(exp.Identifier):
        written, quoted = identifier.this, bool(identifier.args.get("quoted"))
        if quoted and not written:
            raise RedshiftError(
                'zero-length delimited identifier at or near """"', sqlstate="42601"
            )
        word = written.lower()
        if not quoted and word in RESERVED and word != _OID and _starts_a_name(identifier):
            raise syntax_error(written)
        identifier.set("this", folded(written, keep_case=quoted and names))
        identifier.set("quoted", True)
        if not quoted and attributes:
            identifier.meta["attribute"] = folded(written, keep_case=True)


def _starts_a_name(identifier: exp.Identifier) -> bool:
    """Whether a table's or column's name starts here: a reserved word must then be quoted."""
    parent = identifier.parent
    if isinstance(parent, (exp.Column, exp.Table)):
        return parent.parts[0] is identifier and identifier.name.lower() != "default"
    return isinstance(parent, (exp.Schema, exp.TableAlias))


def target_name(tree: exp.Expr) -> tuple[str, ...]:
    """The table that INSERT, UPDATE or DELETE writes."""
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not isinstance(table, exp.Table):
        raise unsupported(f"{type(tree).__name__.upper()} of {type(table).__name__}")
    return table_name(table)


def table_name(table: exp.Table) -> tuple[str, ...]:
    """A table node's name as a tuple, outermost part first."""
    return tuple(part.name for part in table.parts)


def name_projections(tree: exp.Expr) -> None:
    """``SELECT count(*), a::int, 1`` -> ``... AS count, ... AS a, ... AS "?column?"``.

    The names that PostgreSQL's FigureColname, and so Redshift, gives unnamed columns.
    """
    for select in _outer_selects(tree):
        for projection in list(select.expressions):
            if isinstance(projection, (exp.Alias, exp.Column, exp.Star)) or projection.is_star:
                continue
            alias = exp.to_identifier(_figure_name(projection), quoted=True)
            projection.replace(exp.Alias(this=projection.copy(), alias=alias))


def _outer_selects(tree: exp.Expr) -> list[exp.Select]:
    while isinstance(tree, exp.Subquery):
        tree = tree.this
    if isinstance(tree, exp.SetOperation):
        return _outer_selects(tree.this)
    return [tree] if isinstance(tree, exp.Select) else []


_FIGURES = {"dateadd": "date_add", "datediff": "date_diff", "decode": "case", "nvl": "coalesce",
            "date_part": "pgdate_part"}  # fmt: skip
"""Functions whose columns have another name, as in the examples of their pages."""


def _figure_name(node: exp.Expr) -> str:
    if isinstance(node, exp.Column):
        return node.name
    if isinstance(node, exp.Dot):
        return str(node.expression.name)
    if isinstance(node, exp.Bracket):
        return _figure_name(node.this)
    if isinstance(node, exp.Cast):
        inner = _figure_name(node.this)
        return inner if inner != "?column?" else _type_name(node.to)
    if isinstance(node, exp.Anonymous) and str(node.this).lower() == "nullif" and node.expressions:
        return _figure_name(node.expressions[0])  # .../dg/r_NULLIF_function.html
    if isinstance(node, exp.Anonymous):
        return _FIGURES.get(str(node.this).lower(), str(node.this).lower())
    if isinstance(node, (exp.Window, exp.WithinGroup, exp.Paren, exp.IgnoreNulls)):
        return _figure_name(node.this)
    named: dict[type[exp.Expr], str] = {
        exp.Case: "case",
        exp.Trim: "btrim",
        exp.Substring: "substring",
        exp.Extract: "date_part",
        exp.CurrentDate: "date",
        exp.CurrentUser: "current_user",
        exp.StrPosition: "position",
        exp.Exists: "exists",
    }
    if isinstance(node, exp.Subquery):
        selects = _outer_selects(node)
        if selects and selects[0].expressions:
            first = selects[0].expressions[0]
            return first.alias if isinstance(first, exp.Alias) else _figure_name(first)
    return named.get(type(node), "?column?")


def _type_name(to: exp.DataType) -> str:
    names = {"INT": "int4", "BIGINT": "int8", "SMALLINT": "int2", "TEXT": "varchar",
             "DOUBLE": "float8", "FLOAT": "float4", "BOOLEAN": "bool", "DECIMAL": "numeric"}  # fmt: skip
    kind = to.this.value if isinstance(to.this, exp.DataType.Type) else str(to.this)
    return names.get(kind.upper(), kind.lower())


def resolve(tree: exp.Expr, scope: Scope) -> Found:
    """``FROM t`` -> ``FROM warehouse."public"."t" AS t``, a view -> its query as a subquery."""
    if scope.is_on("enable_case_sensitive_identifier"):
        _refuse_other_case(tree)
    found = Found()
    _resolve(tree, scope, found, depth=0)
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if isinstance(tree, (exp.Insert, exp.Update, exp.Delete)):
        key = target.meta.get("key")
        others = [t for t in tree.find_all(exp.Table) if t is not target]
        found.target_only = all(t.meta.get("key") != key for t in others) and isinstance(
            tree, exp.Insert
        )
    return found


def _refuse_other_case(tree: exp.Expr) -> None:
    """DuckDB's names have no case: ``"ID"`` would find the column ``id``."""
    known = {item.alias for item in tree.find_all(exp.Alias)}
    for alias in tree.find_all(exp.TableAlias):
        known |= {column.name for column in alias.columns}
    for column in tree.find_all(exp.Column):
        if column.name != folded(column.name) and column.name not in known:
            raise undefined_column(column.name)


def _resolve(tree: exp.Expr, scope: Scope, found: Found, depth: int) -> None:
    if depth > _MAX_VIEW_DEPTH:
        raise RedshiftError("infinite recursion detected in rules for relation", sqlstate="42P17")
    for table in list(tree.find_all(exp.Table)):
        if isinstance(table.this, exp.Func):
            raise RedshiftError(
                f"function {table.this.name.lower()} in FROM is not supported", sqlstate="0A000"
            )
        name = table_name(table)
        if len(name) == 1 and is_cte(table, name[0]):
            continue
        system_name = views.system_name(name)
        if system_name is not None:
            found.query_id = "" if found.system else _query_id(table, scope)
            found.system.add(system_name)
            _put(table, exp.to_table(f'temp.main."{views.temp_name(system_name)}"'), name[-1])
            continue
        relation = scope.relation(name)
        if depth == 0:
            found.named.add(relation.key)
        if relation.is_view:
            _expand_view(table, relation, scope, found, depth)
        else:
            found.tables.add(relation.key)
            _put(table, exp.to_table(catalog.physical(*relation.key), dialect="duckdb"), name[-1])
            table.meta["key"] = relation.key


def _query_id(table: exp.Table, scope: Scope) -> str:
    """``FROM sys_load_detail WHERE query_id = 7 AND ...`` -> 7: only those rows are needed."""
    select = table.parent_select
    if select is None or select.args.get("where") is None or select.args.get("joins"):
        return ""
    where = select.args["where"]
    conditions = where.this.flatten() if isinstance(where.this, exp.And) else [where.this]
    for condition in conditions:
        if isinstance(condition, exp.EQ) and condition.this.name == "query_id":
            value = condition.expression
            if isinstance(value, exp.Literal) and value.name.isdigit():
                return value.name
            if isinstance(value, exp.Anonymous) and value.name.lower() == "pg_last_copy_id":
                return to_duckdb(scope.number("last_copy_id"))
    return ""


def is_cte(table: exp.Table, name: str) -> bool:
    """Whether a WITH around the table defines the name."""
    node: exp.Expr | None = table
    while node is not None:
        with_ = node.args.get("with_")
        if with_ is not None:
            for cte in with_.expressions:
                inside = any(parent is cte for parent in _ancestors(table))
                if inside and not with_.args.get("recursive"):
                    break
                if cte.alias == name:
                    return True
        node = node.parent
    return False


def _ancestors(node: exp.Expr) -> list[exp.Expr]:
    found = []
    parent = node.parent
    while parent is not None:
        found.append(parent)
        parent = parent.parent
    return found


def _put(table: exp.Table, physical: exp.Table, name: str) -> None:
    """Changes a table node's name in place; its old name becomes the alias."""
    for part in ("this", "db", "catalog"):
        table.set(part, physical.args.get(part))
    is_target = isinstance(table.parent, (exp.Insert, exp.Update, exp.Delete, exp.Schema)) and (
        table.arg_key == "this"
    )
    if not table.alias and not is_target:
        identifier = exp.to_identifier(name, quoted=True)
        table.set("alias", exp.TableAlias(this=identifier))


def _only(query: exp.Query, count: int) -> exp.Query:
    """The first columns of a query: ``*`` has the columns of the time when the view was created."""
    named = [exp.to_identifier(f"c{number}", quoted=True) for number in range(count)]
    alias = exp.TableAlias(this=exp.to_identifier("rs_view", quoted=True), columns=named)
    inner = exp.Subquery(this=query, alias=alias)
    return exp.Select(expressions=[exp.column(name.copy()) for name in named]).from_(inner)


def _expand_view(table: exp.Table, view: Relation, scope: Scope, found: Found, depth: int) -> None:
    query = parse_query(view.query)
    fold(query, scope if view.late_binding else None)
    pivots.rewrite(query, scope)
    name_projections(query)
    aliases.expand(query, scope)
    comparisons.convert(query, scope)
    untyped.convert(query, scope)
    supers.rewrite(query, scope)
    _resolve(query, scope, found, depth + 1)
    alias = table.args.get("alias") or exp.TableAlias(
        this=exp.to_identifier(view.name, quoted=True)
    )
    if not alias.columns and view.columns:
        alias.set("columns", [exp.to_identifier(c.name, quoted=True) for c in view.columns])
    if view.columns and not view.late_binding and isinstance(query, exp.Query) and query.is_star:
        query = _only(query, len(view.columns))
    subquery = exp.Subquery(this=query, alias=alias)
    for key in ("joins", "laterals", "pivots"):
        if table.args.get(key):
            subquery.set(key, table.args[key])
    table.replace(subquery)
