"""Queries of the catalogue alone: what PostgreSQL's functions and types do on Redshift's leader node.

Tables of users do not come with it: a query of both has none of this
(https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html). The functions are
PostgreSQL 8.0's, https://www.postgresql.org/docs/8.0/functions-misc.html.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from fakeshift.dialect.grammar import call
from fakeshift.dialect.names import is_cte, table_name
from fakeshift.dialect.scope import Scope
from fakeshift.system.view import CATALOG
from fakeshift.system.views import system_name

Args = list[exp.Expr]
Build = Callable[[Args, Scope], exp.Expr]


_TABLE_FUNCTIONS = {"pg_get_late_binding_view_cols": "pg_rs_late_columns"}

_NO_ARRAY = "rs_no_array"
_OF_NEWER_POSTGRES: dict[str, str] = {
    "relpersistence": "'p'", "relhastriggers": "false", "relrowsecurity": "false",
    "relforcerowsecurity": "false", "relispartition": "false", "relpartbound": "NULL",
    "reloftype": "0", "relreplident": "'d'", "reloptions": _NO_ARRAY, "attcollation": "0",
    "attidentity": "''", "attgenerated": "''", "attstattarget": "-1", "attfdwoptions": "NULL",
    "attcompression": "''", "attacl": _NO_ARRAY, "datcollate": "'C'", "datctype": "'C'",
    "typarray": "0", "typcollation": "0", "typtypmod": "-1", "indisvalid": "true",
    "indisreplident": "false", "proiswindow": "false", "tgisinternal": "false",
    "condeferrable": "false", "conparentid": "0",
}  # fmt: skip
"""Columns that PostgreSQL 8.0 lacks and psql 15 asks for, with the value that says "nothing special".

Redshift refuses them: psql 15 cannot describe its tables. Here it can.
"""


_VALUES = frozenset({"current_database", "current_schema", "current_user", "version"})
"""Functions of one value that a query may read as a table."""


def applies(tree: exp.Expr) -> bool:
    """Whether the query reads nothing but the catalogue."""
    return all(map(_is_system, tree.find_all(exp.Table)))


def _is_system(table: exp.Table) -> bool:
    if is_table_function(table):
        return True
    if isinstance(table.this, exp.Func):
        return isinstance(table.this, exp.Anonymous) and table.this.name.lower() in _VALUES
    name = table_name(table)
    return system_name(name) is not None or (len(name) == 1 and is_cte(table, name[0]))


def is_table_function(table: exp.Table) -> bool:
    """Whether a FROM item is a function of the catalogue."""
    return isinstance(table.this, exp.Anonymous) and table.this.name.lower() in _TABLE_FUNCTIONS


def rewrite(tree: exp.Expr, scope: Scope) -> exp.Expr:
    """The query with expressions that the other rules know; changes it."""
    tables = list(tree.find_all(exp.Table))
    for table in tables:
        if is_table_function(table):
            _table_function(table)
    for table in list(tree.find_all(exp.Table)):
        if isinstance(table.this, exp.Anonymous):
            _value_as_table(table)
    for pipe in list(tree.find_all(exp.DPipe)):
        if isinstance(pipe.this, exp.Column) and pipe.this.name == "reloptions":
            pipe.replace(pipe.this)  # psql: c.reloptions || array(SELECT ... unnest(tc.reloptions))
    for node in reversed(list(tree.walk(bfs=True))):
        changed = _named(node, scope)
        if changed is node and tables:
            changed = _rewritten(node)
        if changed is not node and node is not tree:
            node.replace(changed)
    return tree


def _table_function(table: exp.Table) -> None:
    name = _TABLE_FUNCTIONS[table.this.name.lower()]
    alias = table.args.get("alias")
    if alias is not None:
        columns = [c.this if isinstance(c, exp.ColumnDef) else c for c in alias.columns]
        alias.set("columns", columns)
        for identifier in columns:
            identifier.set("quoted", True)
    table.set("this", exp.to_identifier(name, quoted=True))
    table.set("db", exp.to_identifier(CATALOG, quoted=True))


def _value_as_table(table: exp.Table) -> None:
    """``FROM current_database()`` -> ``FROM (SELECT current_database() AS current_database)``"""
    name = table.this.name.lower()
    given = table.args.get("alias")
    alias = given or exp.TableAlias(this=exp.to_identifier(name, quoted=True))
    shown = given.name if given is not None else name
    item = exp.Alias(this=table.this.copy(), alias=exp.to_identifier(shown, quoted=True))
    table.replace(exp.Subquery(this=exp.Select(expressions=[item]), alias=alias))


def _named(node: exp.Expr, scope: Scope) -> exp.Expr:
    """A function of the catalogue, or a cast to one of its types: also in a query without tables."""
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Anonymous):
        if node.this.name.lower() == CATALOG:
            return _function(node.expression, scope)
        return node
    if isinstance(node, exp.Anonymous):
        return _function(node, scope)
    if isinstance(node, exp.Cast):
        return _cast(node, scope)
    return node


def _rewritten(node: exp.Expr) -> exp.Expr:
    """What else only queries of the catalogue may have: arrays and what newer clients write."""
    if isinstance(node, exp.ByteString):
        return exp.Literal.string(_unescaped(node.name))
    if isinstance(node, exp.Bracket) and len(node.expressions) == 1:
        return _element(node)
    if isinstance(node, exp.Array):
        return _array(node.expressions)
    if isinstance(node, exp.Anonymous) and node.name.lower() == "array":
        return _array(node.expressions)
    if isinstance(node, (exp.EQ, exp.NEQ)) and isinstance(node.expression, exp.Any):
        return _any(node)
    if isinstance(node, exp.Collate):
        inner: exp.Expr = node.this
        return inner
    if isinstance(node, exp.Column) and node.name in _OF_NEWER_POSTGRES:
        return _newer(node)
    if isinstance(node, exp.NullSafeNEQ):
        return call("rs_differs", node.this, node.expression)
    return node


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")


def _newer(node: exp.Column) -> exp.Expr:
    if isinstance(node.parent, exp.Alias) and node.parent.arg_key == "alias":
        return node
    written = _OF_NEWER_POSTGRES[node.name]
    value = call(written) if written == _NO_ARRAY else _parsed(written)
    if isinstance(node.parent, exp.Select):
        return exp.Alias(this=value, alias=exp.to_identifier(node.name, quoted=True))
    return value


def _parsed(text: str) -> exp.Expr:
    """An expression or query of ours."""
    tree: exp.Expr = exp.maybe_parse(text, dialect="postgres")
    return tree


def _query(text: str, **values: exp.Expr) -> exp.Expr:
    """``(SELECT rs_shown FROM pg_catalog.pg_rs_relations WHERE rs_oid = :x)``; no column of the query
    around it has such a name.
    """
    tree = _parsed(f"({text})")
    for identifier in tree.find_all(exp.Identifier):
        identifier.set("quoted", True)
    for mark in list(tree.find_all(exp.Placeholder)):
        mark.replace(values[mark.name].copy())
    return tree


def _of_relation(column: str, default: exp.Expr | None = None) -> Build:
    """A fact about the relation with an id, or of a name."""

    def build(args: Args, _: Scope) -> exp.Expr:
        if not args:
            raise ValueError
        given = args[0]
        match = "rs_full_name = :x OR rs_shown = :x" if given.is_string else "rs_oid = :x"
        text = f"SELECT rs_{column} FROM pg_catalog.pg_rs_relations WHERE {match}"  # noqa: S608
        found = _query(text, x=_name(given))
        return found if default is None else call("coalesce", found, default.copy())

    return build


def _name(node: exp.Expr) -> exp.Expr:
    """A relation's name in a string, folded."""
    return exp.Literal.string(node.name.replace('"', "").lower()) if node.is_string else node


def _lookup(text: str) -> Build:
    """A value of another catalogue table; ``:x`` is the first argument, ``:y`` the second."""

    def build(args: Args, _: Scope) -> exp.Expr:
        if not args:
            raise ValueError
        return _query(text, x=args[0], y=args[1] if len(args) > 1 else exp.Null())

    return build


def _format_type(args: Args, _: Scope) -> exp.Expr:
    kind, modifier = args
    return call("rs_format_type", _whole(kind), _whole(modifier))


def _whole(node: exp.Expr) -> exp.Expr:
    return exp.Cast(this=node, to=exp.DataType.build("BIGINT"))


def _constant(value: str) -> Build:
    return lambda _args, _scope: _parsed(value)


def _first(args: Args, _: Scope) -> exp.Expr:
    return args[0]


def _array(items: Sequence[exp.Expr]) -> exp.Expr:
    return call(
        "array" if len(items) == 1 and isinstance(items[0], exp.Query) else "list_value", *items
    )


def _array_to_string(args: Args, _: Scope) -> exp.Expr:
    given, separator = args[:2]
    return call("array_to_string", given, separator)


def _size(args: Args, _: Scope) -> exp.Expr:
    given, dimension = args
    return exp.Case(
        ifs=[exp.If(this=exp.EQ(this=dimension, expression=exp.Literal.number(1)), true=call("len", given))]
    )  # fmt: skip


def _schemas(args: Args, scope: Scope) -> exp.Expr:
    """current_schemas(true) also has pg_catalog."""
    implicit = [CATALOG] if isinstance(args[0], exp.Boolean) and args[0].this else []
    names = [*implicit, *scope.existing_schemas_in_path()]
    return call("list_value", *map(exp.Literal.string, names))


def _privilege(args: Args, _: Scope) -> exp.Expr:
    """has_table_privilege and the like with computed arguments: the catalogue only has what the user
    may see.
    """
    if all(arg.is_string for arg in args):
        raise ValueError  # session_functions has it
    return exp.true()


def _identifier(args: Args, _: Scope) -> exp.Expr:
    return call("rs_quote_ident", args[0])


FUNCTIONS: dict[str, Build] = {
    "format_encoding": lambda args, _: call("rs_format_encoding", args[0]),
    "format_type": _format_type,
    "pg_get_userbyid": _lookup("SELECT rs_name FROM pg_catalog.pg_rs_users WHERE rs_oid = :x"),
    "pg_table_is_visible": _of_relation("visible", exp.false()),
    "pg_type_is_visible": _constant("true"),
    "pg_function_is_visible": _constant("true"),
    "pg_operator_is_visible": _constant("true"),
    "pg_get_viewdef": _of_relation("definition"),
    "pg_get_constraintdef": _lookup(
        "SELECT rs_definition FROM pg_catalog.pg_rs_constraints WHERE rs_oid = :x"
    ),
    "pg_get_expr": _first,
    "pg_get_indexdef": _lookup(
        "SELECT rs_definition FROM pg_catalog.pg_rs_indexes WHERE rs_oid = :x"
    ),
    "pg_get_ruledef": _constant("CAST(NULL AS VARCHAR)"),
    "pg_get_triggerdef": _constant("CAST(NULL AS VARCHAR)"),
    "pg_get_function_result": _constant("CAST(NULL AS VARCHAR)"),
    "pg_get_function_arguments": _constant("CAST(NULL AS VARCHAR)"),
    "pg_get_partkeydef": _constant("CAST(NULL AS VARCHAR)"),
    "pg_get_statisticsobjdef_columns": _constant("CAST(NULL AS VARCHAR)"),
    "pg_encoding_to_char": _constant("'UNICODE'"),
    "pg_relation_is_publishable": _constant("false"),
    "pg_table_size": _constant("CAST(0 AS BIGINT)"),
    "pg_total_relation_size": _constant("CAST(0 AS BIGINT)"),
    "pg_relation_size": _constant("CAST(0 AS BIGINT)"),
    "pg_database_size": _constant("CAST(0 AS BIGINT)"),
    "pg_size_pretty": lambda args, _: exp.DPipe(
        this=exp.Cast(this=args[0], to=exp.DataType.build("VARCHAR(20)")),
        expression=exp.Literal.string(" bytes"),
    ),
    "obj_description": _lookup(
        "SELECT rs_text FROM pg_catalog.pg_rs_comments WHERE rs_oid = :x AND rs_number = 0"
    ),
    "col_description": _lookup(
        "SELECT rs_text FROM pg_catalog.pg_rs_comments WHERE rs_oid = :x AND rs_number = :y"
    ),
    "shobj_description": _constant("CAST(NULL AS VARCHAR)"),
    "array_to_string": _array_to_string,
    "array_upper": _size,
    "array_lower": lambda *_: exp.Literal.number(1),
    "array_length": _size,
    "current_schemas": _schemas,
    "quote_ident": _identifier,
    "has_table_privilege": _privilege,
    "has_schema_privilege": _privilege,
    "has_database_privilege": _privilege,
    "has_column_privilege": _privilege,
}


def _function(node: exp.Anonymous, scope: Scope) -> exp.Expr:
    build = FUNCTIONS.get(node.name.lower())
    if build is None:
        return node
    try:
        return build(list(node.expressions), scope)
    except ValueError:
        return node


_NAMES = frozenset({"NAME", "CSTRING", "CHAR", "SQL_IDENTIFIER", "CHARACTER_DATA", "ACLITEM"})


def _cast(node: exp.Cast, scope: Scope) -> exp.Expr:
    """Casts to the types of the catalogue: oid, name, regclass, regtype."""
    written = node.to.sql(dialect="postgres").upper().replace('"', "").split(".")[-1]
    inner = node.this
    if written == "OID":
        return _whole(inner)
    if written == "REGCLASS":
        column = "oid" if inner.is_string else "shown"
        return _of_relation(column)([inner], scope)
    if written == "REGTYPE":
        if inner.is_string:
            named = exp.Literal.string(inner.name.split(".")[-1].replace('"', "").lower())
            return _query(
                "SELECT rs_type.oid FROM pg_catalog.pg_type rs_type WHERE rs_type.typname = :x",
                x=named,
            )
        return call("rs_format_type", _whole(inner), exp.Null())
    if written in ("REGPROC", "REGPROCEDURE"):
        return exp.Cast(this=inner, to=exp.DataType.build("VARCHAR(127)"))
    kind = node.to.this if isinstance(node.to, exp.DataType) else None
    user_defined = kind == exp.DataType.Type.USERDEFINED
    if written in _NAMES and (written != "CHAR" or user_defined):
        return call("rs_text", inner)
    return node


def _element(node: exp.Bracket) -> exp.Expr:
    """``conkey[1]``; the numbers of an int2vector, such as indkey, begin at 0."""
    base, index = node.this.unnest(), node.expressions[0]
    if base.name in ("indkey", "indclass", "proargtypes"):
        index = exp.Add(this=index, expression=exp.Literal.number(1))
    return call("list_extract", base, index)


def _any(node: exp.Expr) -> exp.Expr:
    """``a = ANY (conkey)`` -> ``list_contains(conkey, a)``; a subquery stays."""
    given = node.expression.this
    inner = given.this if isinstance(given, exp.Paren) else given
    if isinstance(inner, (exp.Query, exp.Tuple)):
        return node
    if inner.is_string:  # '{r,v}'
        words = inner.name.strip("{}").split(",")
        inner = call("list_value", *map(exp.Literal.string, words))
    found: exp.Expr = call("list_contains", inner, node.this)
    return exp.Not(this=found) if isinstance(node, exp.NEQ) else found
