"""Translates a Redshift query or DML statement to DuckDB, and lists what it reads and writes.

Order: names (``names``), the expressions one by one (``rules``, ``functions``, ``casts``), then what
only DML needs (``writes``). Nothing here reads data; the catalogue is used through ``Scope``.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from fakeshift.catalog.model import Key, Origin
from fakeshift.dialect import (
    aliases,
    columns,
    comparisons,
    conversions,
    correlations,
    foreign,
    leader,
    merge,
    names,
    pivots,
    rules,
    subqueries,
    supers,
    untyped,
    writes,
)
from fakeshift.dialect.grammar import parse_query, to_duckdb
from fakeshift.dialect.origins import origins_of
from fakeshift.dialect.scope import Scope
from fakeshift.errors import RedshiftError, unsupported


@dataclass(frozen=True)
class Translated:
    """``sql`` is DuckDB's; ``kind`` select, insert, update, delete or merge; ``target`` is None for select.

    ``named`` are the tables and views that need the SELECT privilege: not those behind a view.

    ``types`` are the Redshift types of a query's columns, where known.

    ``check`` finds rows only if MERGE must fail; ``then`` runs after ``sql``.

    ``query_id``: the only query whose rows of the one system view are needed; "" for all.
    ``origins``: for each result column its table column, or None.
    """

    sql: str
    kind: str
    reads: frozenset[Key] = frozenset()
    named: frozenset[Key] = frozenset()
    target: Key | None = None
    system: frozenset[str] = frozenset()
    query_id: str = ""
    check: str = ""
    then: str = ""
    needs: tuple[str, ...] = ()
    origins: tuple[Origin | None, ...] = ()
    types: columns.Types = ()

    @property
    def is_distributed(self) -> bool:
        """Whether it runs on the compute nodes: it reads more than the catalogue."""
        on_nodes = any(map(subqueries.is_distributed, self.system))
        return bool(self.reads) or self.target is not None or on_nodes


def translate(sql: str, scope: Scope) -> Translated:
    """Raises RedshiftError for syntax errors, unknown names and unsupported features."""
    return translate_tree(parse_query(sql), scope)


def translate_tree(tree: exp.Expr, scope: Scope) -> Translated:
    """Translates a parsed statement, which it changes."""
    foreign.refuse(tree)
    names.fold(tree, scope)
    if isinstance(tree, (exp.Select, exp.SetOperation, exp.Subquery)):
        return translate_query(tree, scope)
    if isinstance(tree, (exp.Insert, exp.Update, exp.Delete)):
        return _translate_write(tree, scope)
    if isinstance(tree, exp.Merge):
        return _translate_merge(tree, scope)
    raise unsupported(type(tree).__name__.upper())


def translate_query(tree: exp.Expr, scope: Scope) -> Translated:
    """SELECT."""
    if tree.args.get("into") is not None:
        raise unsupported("SELECT INTO")
    names.name_projections(tree)
    leading = leader.applies(tree)
    if leading:
        leader.rewrite(tree, scope)
    pivots.rewrite(tree, scope)
    if not leading:
        correlations.refuse(tree, scope)
    subqueries.refuse_unaliased_qualify(tree)
    subqueries.refuse_hidden_order(tree)
    aliases.expand(tree, scope)
    comparisons.convert(tree, scope)
    conversions.refuse(tree, scope)
    untyped.convert(tree, scope)
    supers.rewrite(tree, scope)
    types, origins = columns.result_types(tree, scope), origins_of(tree, scope)
    found = names.resolve(tree, scope)
    if found.tables or any(map(subqueries.is_distributed, found.system)):
        subqueries.refuse_leader_only(tree)
    tree = rules.apply(tree, scope)
    return Translated(
        to_duckdb(tree),
        "select",
        frozenset(found.tables),
        frozenset(found.named),
        system=frozenset(found.system),
        query_id=found.query_id,
        types=types,
        origins=origins,
    )


def _translate_write(tree: exp.Expr, scope: Scope) -> Translated:
    writes.refuse_foreign_clauses(tree)
    target = scope.relation(names.target_name(tree))
    if target.is_view:
        kind = type(tree).__name__.lower()
        verb = {"insert": "insert into", "update": "update", "delete": "delete from"}[kind]
        raise RedshiftError(f"cannot {verb} a view", sqlstate="55000")
    pivots.rewrite(tree, scope)
    correlations.refuse(tree, scope)
    aliases.expand(tree, scope)
    comparisons.convert(tree, scope)
    conversions.refuse(tree, scope)
    untyped.convert(tree, scope)
    supers.rewrite(tree, scope)
    found = names.resolve(tree, scope)
    if not isinstance(tree, exp.Insert) or isinstance(tree.expression, exp.Query):
        subqueries.refuse_leader_only(tree)
    tree = rules.apply(tree, scope)
    system = frozenset(found.system)
    tree = writes.prepare(tree, target, lambda sql: scope.describe(sql, system))
    only = {target.key} if found.target_only else set()
    return Translated(
        to_duckdb(tree),
        type(tree).__name__.lower(),
        frozenset(found.tables - only),
        frozenset(found.named - only),
        target.key,
        system,
        needs=(type(tree).__name__.upper(),),
    )


def _translate_merge(tree: exp.Merge, scope: Scope) -> Translated:
    target = scope.relation(names.table_name(tree.this))
    source = scope.relation(names.table_name(tree.args["using"]))
    merge.unqualify(tree)
    merge.refuse(tree, target, source)
    comparisons.convert(tree, scope)
    conversions.refuse(tree, scope)
    untyped.convert(tree, scope)
    supers.rewrite(tree, scope)
    found = names.resolve(tree, scope)
    rules.apply(tree, scope)
    built = merge.prepare(tree, target, source)
    return Translated(
        built.sql,
        "merge",
        frozenset(found.tables),
        frozenset(found.named),
        target.key,
        frozenset(found.system),
        check=built.check,
        then=built.then,
        needs=built.needs,
    )
