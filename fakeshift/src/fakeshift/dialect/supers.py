"""SUPER: navigation, unnesting in FROM and dynamic typing, before names are resolved.

https://docs.aws.amazon.com/redshift/latest/dg/query-super.html

A SUPER value is DuckDB's JSON. SUPER expressions are recognised from the catalogue's columns, from
navigation and from functions that return SUPER, also through subqueries, WITH and views. Operators
on them become calls of macros (``engine.macros``) that check each value's type.
"""

from __future__ import annotations

import re

from sqlglot import exp

from fakeshift.catalog.model import Relation
from fakeshift.dialect.grammar import Call, call
from fakeshift.dialect.scope import Scope
from fakeshift.errors import RedshiftError, unsupported
from fakeshift.system import views

MAKERS = frozenset(
    {"json_parse", "array", "object", "array_concat", "array_flatten", "subarray", "split_to_array",
     "lower_attribute_names", "upper_attribute_names"}
)  # fmt: skip
"""Functions that return SUPER."""

_TAKERS = MAKERS | frozenset(
    {"json_serialize", "json_typeof", "json_size", "get_array_length", "get_number_attributes",
     "is_array", "is_object", "is_scalar", "is_varchar", "is_char", "is_integer", "is_bigint",
     "is_smallint", "is_decimal", "is_float", "is_boolean", "count", "any_value", "nvl2", "decode",
     "min", "max", "first_value", "last_value", "lag", "lead", "listagg"}
)  # fmt: skip
"""Functions that accept SUPER values directly."""

_MIXED = frozenset({"coalesce", "nvl", "nullif"})
_NUMERIC = frozenset(
    {"sum", "avg", "abs", "ceil", "ceiling", "floor", "round", "sqrt", "power", "mod", "sign", "trunc",
     "median", "stddev", "variance", "stddev_samp", "var_samp"}
)  # fmt: skip

_WHOLE = {
    exp.DataType.Type.SMALLINT: "rs_super_int2",
    exp.DataType.Type.INT: "rs_super_int4",
    exp.DataType.Type.BIGINT: "rs_super_int8",
}
_TRIED = frozenset(
    {exp.DataType.Type.FLOAT, exp.DataType.Type.DOUBLE, exp.DataType.Type.DECIMAL, exp.DataType.Type.DATE,
     exp.DataType.Type.TIME, exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPTZ}
)  # fmt: skip
_TEXT = frozenset(
    {exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT, exp.DataType.Type.CHAR,
     exp.DataType.Type.NVARCHAR, exp.DataType.Type.NCHAR, exp.DataType.Type.BPCHAR}
)  # fmt: skip
_EQUAL = (exp.EQ, exp.NEQ)
_ORDER: dict[type[exp.Expr], str] = {
    exp.LT: "rs_super_lt",
    exp.LTE: "rs_super_le",
    exp.GT: "rs_super_gt",
    exp.GTE: "rs_super_ge",
}
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg)
_LIKE = (exp.Like, exp.ILike, exp.SimilarTo, exp.RegexpLike)

_KEY, _ESCAPED = re.compile(r'\."((?:\\.|[^"\\])*)"'), re.compile(r"\\(.)")

Source = Relation | exp.Query | str | None
"""The source of a name in FROM: a table, a query, ``"value"`` or ``"index"`` of an unnesting."""


def rewrite(tree: exp.Expr, scope: Scope) -> None:
    """``SELECT c.orders[0].key FROM t c`` -> ``SELECT rs_get(c.orders, '$[0]."key"') AS key FROM t c``.

    Changes the tree. Names are still Redshift's, folded; ``names.resolve`` later
    refuses a missing table.
    """
    finder = Finder(scope)
    for select in list(tree.find_all(exp.Select)):
        finder.mark_unnesting(select)
    for node in reversed(list(tree.walk(bfs=True))):
        if node is not tree:
            _rewrite(node, finder)
    for select in list(tree.find_all(exp.Select)):
        _join_unnested(select)


def is_super(node: exp.Expr | None) -> bool:
    """Whether an expression that was already visited is SUPER."""
    if node is None:
        return False
    if node.meta.get("super"):
        return True
    if isinstance(node, (exp.Paren, exp.Alias, exp.Max, exp.Min)):
        return is_super(node.this)
    if isinstance(node, exp.Cast):
        return bool(node.to.this == exp.DataType.Type.SUPER)
    if isinstance(node, exp.Anonymous):
        name = str(node.this).lower()
        return name in MAKERS or (name in _MIXED and any(map(is_super, node.expressions)))
    if isinstance(node, exp.Case):
        branches = [when.args.get("true") for when in node.args["ifs"]]
        return any(map(is_super, [*branches, node.args.get("default")]))
    if isinstance(node, exp.Subquery):
        selects = node.this.selects if isinstance(node.this, exp.Query) else []
        return len(selects) == 1 and is_super(selects[0])
    return False


class Finder:
    """Resolves column names; asks the catalogue once for each table."""

    def __init__(self, scope: Scope):
        self._scope = scope
        self._sources: dict[int, dict[str, Source]] = {}

    def sources(self, node: exp.Expr) -> dict[str, Source]:
        """The sources in FROM of a SELECT, or the tables of a DML statement, by name."""
        if id(node) not in self._sources:
            self._sources[id(node)] = found = {}
            for item in _items(node):
                found.update(self.source_of(item))
        return self._sources[id(node)]

    def source_of(self, item: exp.Expr) -> dict[str, Source]:
        """The sources of an item of FROM by name; for an unnesting, value and index."""
        name = item.alias_or_name
        if isinstance(item, exp.Table):
            return {name: self._table(item)}
        if isinstance(item, exp.Subquery) and isinstance(item.this, exp.Query):
            return {name: item.this}
        if isinstance(item, exp.Unnest) and "value" in item.meta:
            index = item.meta["index"]
            return {**({index: "index"} if index else {}), item.meta["value"]: "value"}
        return {name: None}

    def _table(self, table: exp.Table) -> Source:
        name = tuple(part.name for part in table.parts)
        if len(name) == 1:
            query = _cte(table, name[0])
            if query is not None:
                return query
        if views.system_name(name) is not None or not all(name):
            return None
        try:
            return self._scope.relation(name)
        except RedshiftError:
            return None

    def blocks(self, node: exp.Expr) -> list[exp.Expr]:
        """The query blocks whose FROM a node can use, from the inside out: those around it, except
        one whose FROM or WITH contains the node.
        """
        found: list[exp.Expr] = []
        skip, child, parent = False, node, node.parent
        while parent is not None:
            if isinstance(parent, exp.CTE) or (
                isinstance(child, exp.Subquery) and isinstance(parent, (exp.From, exp.Join))
            ):
                skip = skip or isinstance(parent, exp.CTE) or child.arg_key == "this"
            elif isinstance(parent, (exp.Select, exp.Update, exp.Delete, exp.Merge)):
                if not skip and not (isinstance(child, exp.Subquery) and child.arg_key == "using"):
                    found.append(parent)
                skip = False
            child, parent = parent, parent.parent
        return found

    def find(self, node: exp.Expr, name: str) -> tuple[bool, Source]:
        """Finds a name in FROM of the blocks around: whether it exists, and its source."""
        for block in self.blocks(node):
            if name in self.sources(block):
                return True, self.sources(block)[name]
        return False, None

    def is_super_column(self, node: exp.Expr, name: str, table: str) -> bool:
        """Whether the column of that name, as seen from ``node``, is SUPER."""
        for block in self.blocks(node):
            sources = self.sources(block)
            wanted = [sources[table]] if table in sources else [] if table else sources.values()
            if any(self._has_super(source, name) for source in wanted):
                return True
            if table in sources:
                return False
        return False

    def _has_super(self, source: Source, name: str) -> bool:
        if isinstance(source, Relation):
            column = source.column(name)
            return column is not None and column.type.name == "super"
        if isinstance(source, exp.Query):
            return self._query_has_super(source, name)
        return False

    def _query_has_super(self, query: exp.Query, name: str) -> bool:
        while isinstance(query, (exp.SetOperation, exp.Subquery)):
            query = query.this
        for item in query.selects:
            if item.alias_or_name == name:
                return is_super(item) or self._projects_super(item)
            if item.is_star:
                table = item.table if isinstance(item, exp.Column) else ""
                sources = self.sources(query)
                inner = [sources.get(table)] if table else list(sources.values())
                if any(self._has_super(source, name) for source in inner):
                    return True
        return False

    def _projects_super(self, item: exp.Expr) -> bool:
        inner = item.this if isinstance(item, exp.Alias) else item
        if not isinstance(inner, exp.Column):
            return False
        known, source = self.find(inner, inner.table or inner.name)
        if known and not inner.table and source == "value":
            return True
        return self.is_super_column(inner, inner.name, inner.table)

    def mark_unnesting(self, select: exp.Select) -> None:
        """``FROM t c, c.orders o AT i`` -> the join's table becomes an Unnest with its names.

        Raises RedshiftError for a table without an alias, which nothing can navigate
        (https://github.com/tobymao/sqlglot/pull/2956), and for a subquery that unnests an outer table's
        column and reads another table too (.../dg/limitations-super.html).
        """
        outer = {name: known for block in self.blocks(select) for name, known in _aliased(block)}
        earlier: dict[str, bool] = {}
        unnested: set[str] = set()
        reads_outer = False
        for join in _places(select):
            path = _path(join.this, set(earlier), unnested, self._reachable(outer, join.this))
            if path is None:
                earlier[join.this.alias_or_name] = bool(join.this.alias)
                continue
            if join.args.get("side"):
                raise unsupported("an outer join that unnests a SUPER value")
            value, index, unpivot = _names(join.this)
            root = _root(path)
            if not earlier.get(root, outer.get(root, True)):
                raise RedshiftError(
                    f'column "{value}" does not exist in {root}, {value}',
                    hint=f"Give {root} an alias: only an alias can be unnested.",
                    sqlstate="42703",
                )
            reads_outer = reads_outer or (root in outer and root not in earlier)
            built = exp.Unnest(expressions=[path])
            built.meta.update({"value": value, "index": index, "unpivot": unpivot})
            join.set("this", built)
            unnested.add(value)
            earlier[value] = True
        if reads_outer:
            _refuse_others(select, unnested)

    def _reachable(self, outer: dict[str, bool], item: exp.Expr) -> set[str]:
        """The outer names that an item of FROM can navigate: ``dev.public.t`` names a database."""
        database = self._scope.database_name if item.args.get("catalog") else ""
        return set(outer) - {database}


def _aliased(block: exp.Expr) -> list[tuple[str, bool]]:
    """The names in FROM of a block, and whether each is an alias."""
    return [
        (item.meta["value"], True)
        if "value" in item.meta
        else (item.alias_or_name, bool(item.alias))
        for item in _items(block)
    ]


def _root(path: exp.Expr) -> str:
    """The first name of a navigation, "" for a function's value."""
    while isinstance(path, (exp.Dot, exp.Bracket)):
        path = path.this
    return str(next(iter(path.parts)).name) if isinstance(path, exp.Column) else ""


def _refuse_others(select: exp.Select, unnested: set[str]) -> None:
    """A subquery that unnests an outer table's column: no other table, no volatile function."""
    if any(name not in unnested for name, _ in _aliased(select)):
        raise RedshiftError(
            "a subquery that unnests an outer table can only refer to that table", sqlstate="0A000"
        )
    for function in select.find_all(exp.Anonymous):
        if str(function.this).lower() in ("random", "timeofday"):
            raise RedshiftError(
                "volatile functions are not supported in a subquery that unnests an outer table",
                sqlstate="0A000",
            )


def _places(select: exp.Select) -> list[exp.Expr]:
    """FROM and the joins of a SELECT, which hold its sources."""
    source = select.args.get("from_")
    return ([source] if source is not None else []) + list(select.args.get("joins") or [])


def _items(node: exp.Expr) -> list[exp.Expr]:
    found = []
    if isinstance(node, (exp.Update, exp.Delete, exp.Merge)):
        found.append(node.this)
    using = node.args.get("using")
    found += using if isinstance(using, list) else [using]
    source = node.args.get("from_")
    found.append(source.this if source is not None else None)
    for item in [one for one in found if isinstance(one, exp.Expr)]:
        found += [join.this for join in item.args.get("joins") or []]
    found += [join.this for join in node.args.get("joins") or []]
    return [item for item in found if isinstance(item, exp.Expr)]


def _cte(table: exp.Table, name: str) -> exp.Query | None:
    parent = table.parent
    while parent is not None:
        with_ = parent.args.get("with_")
        for cte in with_.expressions if with_ is not None else []:
            if cte.alias == name and not any(up is cte for up in _up(table)):
                query: exp.Query = cte.this
                return query
        parent = parent.parent
    return None


def _up(node: exp.Expr) -> list[exp.Expr]:
    found = []
    while node.parent is not None:
        node = node.parent
        found.append(node)
    return found


# -- unnesting ---------------------------------------------------------------------------------


def _path(
    item: exp.Expr, earlier: set[str], unnested: set[str], outer: set[str]
) -> exp.Expr | None:
    """The navigation that a join iterates over, None for a table."""
    if isinstance(item, exp.Pivot) and item.args.get("unpivot") and not item.args.get("fields"):
        item = item.this
    if isinstance(item, exp.AtIndex):
        item = item.this
    if isinstance(item, exp.Unnest) and len(item.expressions) == 1 and "value" not in item.meta:
        navigated: exp.Expr = item.expressions[0]
        return navigated
    if isinstance(item, exp.Alias):
        inner: exp.Expr = item.this
        return inner
    if isinstance(item, (exp.Column, exp.Dot, exp.Bracket)):
        return item
    if isinstance(item, exp.Table) and isinstance(item.this, (exp.Identifier, exp.Dot)):
        parts = [part.copy() for part in item.parts]
        first = parts[0].name
        if (len(parts) > 1 and (first in earlier or first in outer)) or first in unnested:
            names = dict(zip(("this", "table", "db", "catalog"), reversed(parts[:4]), strict=False))
            built: exp.Expr = exp.Column(**names)
            for part in parts[4:]:
                built = exp.Dot(this=built, expression=part)
            return built
    return None


def _names(item: exp.Expr) -> tuple[str, str, bool]:
    """(the value's name, the index's or "", whether it is UNPIVOT)."""
    unpivot = isinstance(item, exp.Pivot)
    if unpivot:
        item = item.this
    index = ""
    if isinstance(item, exp.AtIndex):
        index, item = item.expression.name, item.this
    if isinstance(item, exp.Unnest):
        columns = item.args["alias"].columns if item.args.get("alias") else []
        name = columns[0].name if columns else item.expressions[0].name
    else:
        name = item.alias_or_name
    return name, index, unpivot


def _join_unnested(select: exp.Select) -> None:
    """``, UNNEST(path)`` -> ``, (SELECT unnest(l) AS o, generate_subscripts(l, 1) - 1 AS i FROM (SELECT
    rs_elements(path) AS l)) AS o``; with UNPIVOT, of an object's attributes.
    """
    for join in _places(select):
        item = join.this
        if not isinstance(item, exp.Unnest) or "value" not in item.meta:
            continue
        value, index, unpivot = (item.meta[key] for key in ("value", "index", "unpivot"))
        elements = "rs_attributes" if unpivot else "rs_elements"
        listed = exp.Alias(this=call(elements, item.expressions[0]), alias=_quoted("rs_list"))
        columns = [exp.Alias(this=call("unnest", _column("rs_list")), alias=_quoted(value))]
        lists = [listed]
        if index:
            position: exp.Expr = call("rs_positions", _column("rs_list"))
            if unpivot:
                keys = call("rs_attribute_names", item.expressions[0].copy())
                lists.append(exp.Alias(this=keys, alias=_quoted("rs_keys")))
                position = _column("rs_keys")
            columns.append(exp.Alias(this=call("unnest", position), alias=_quoted(index)))
        inner = exp.Subquery(
            this=exp.Select(expressions=lists), alias=exp.TableAlias(this=_quoted("rs_unnest"))
        )
        query = exp.Select(expressions=columns).from_(inner)
        alias = exp.TableAlias(this=_quoted(value))
        join.set("this", exp.Subquery(this=query, alias=alias))


def _quoted(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)


def _column(name: str, table: str = "") -> exp.Column:
    return exp.column(_quoted(name), table=_quoted(table) if table else None)


# -- expressions -------------------------------------------------------------------------------


def _marked(node: exp.Expr) -> exp.Expr:
    node.meta["super"] = True
    return node


def _put(node: exp.Expr, built: exp.Expr, name: str = "") -> None:
    """Replaces a node; a projection keeps its name."""
    if name and isinstance(node.parent, exp.Select) and node.arg_key == "expressions":
        built = exp.Alias(this=built, alias=_quoted(name))
    node.replace(built)


def _rewrite(node: exp.Expr, finder: Finder) -> None:
    if isinstance(node, exp.Column):
        _rewrite_column(node, finder)
    elif isinstance(node, exp.Dot) and is_super(node.this):
        _put(node, _get(node.this, _keys([node.expression])), node.expression.name)
    elif isinstance(node, exp.Bracket) and is_super(node.this):
        _put(node, _element(node), _name_of(node))
    elif isinstance(node, exp.Cast):
        _rewrite_cast(node)
    elif isinstance(node, _EQUAL) and _any_super(node) and not _is_assignment(node):
        sides = [call("rs_super_key", _super(node.args[side])) for side in ("this", "expression")]
        node.set("this", sides[0])
        node.set("expression", sides[1])
        if isinstance(node, exp.NEQ):
            node.replace(exp.Not(this=exp.Paren(this=exp.EQ(this=sides[0], expression=sides[1]))))
    elif isinstance(node, (exp.LT, exp.LTE, exp.GT, exp.GTE)) and _any_super(node):
        node.replace(call(_ORDER[type(node)], _super(node.this), _super(node.expression)))
    elif isinstance(node, exp.Between) and is_super(node.this):
        low = call("rs_super_ge", _super(node.this), _super(node.args["low"]))
        high = call("rs_super_le", _super(node.this.copy()), _super(node.args["high"]))
        node.replace(exp.Paren(this=exp.And(this=low, expression=high)))
    elif isinstance(node, exp.In) and is_super(node.this):
        _rewrite_in(node)
    elif isinstance(node, (*_ARITHMETIC, *_LIKE, exp.DPipe)):
        macro = "rs_super_number" if isinstance(node, _ARITHMETIC) else "rs_super_text"
        for side in ("this", "expression"):
            if is_super(node.args.get(side)):
                node.set(side, call(macro, node.args[side]))
    elif isinstance(node, exp.Is) and is_super(node.this):  # a JSON null is NULL
        node.set("this", call("nullif", node.this, exp.Literal.string("null")))
    elif isinstance(node, exp.Anonymous):
        _rewrite_call(node)
    elif isinstance(node, exp.Ordered) and is_super(node.this):
        node.set("this", call("rs_super_rank", node.this))


def _is_assignment(node: exp.Expr) -> bool:
    """For UPDATE ... SET."""
    return isinstance(node.parent, exp.Update) and node.arg_key == "expressions"


def _any_super(node: exp.Expr) -> bool:
    return is_super(node.this) or is_super(node.expression)


def _super(node: exp.Expr) -> exp.Expr:
    return node if is_super(node) else call("rs_super", node)


def _rewrite_column(node: exp.Column, finder: Finder) -> None:
    identifiers = list(node.parts)
    parts = [part.name for part in identifiers]
    if node.name == "*" or isinstance(node.this, exp.Star):
        return
    known, source = finder.find(node, parts[0])
    if known and source in ("value", "index"):
        owner = parts[0] if source == "value" else _owner(node, finder, parts[0])
        base: exp.Expr = _column(parts[0], owner)
        if source == "index":
            _put(node, base, parts[0])
            return
        _put(node, _get(_marked(base), _keys(identifiers[1:])), parts[-1])
    elif known and len(parts) > 2:
        _refuse_plain(source, parts[1])
        base = _marked(_column(parts[1], parts[0]))
        _put(node, _get(base, _keys(identifiers[2:])), parts[-1])
    elif not known and len(parts) > 1 and finder.is_super_column(node, parts[0], ""):
        _put(node, _get(_marked(_column(parts[0])), _keys(identifiers[1:])), parts[-1])
    elif len(parts) > 3:
        base = _marked(_column(parts[2], parts[1]))
        _put(node, _get(base, _keys(identifiers[3:])), parts[-1])
    else:
        node.set("db", None)
        node.set("catalog", None)
        if finder.is_super_column(node, node.name, node.table):
            _marked(node)


def _refuse_plain(source: Source, name: str) -> None:
    """Only SUPER has attributes: for another column, Redshift reads the first name as a schema."""
    column = source.column(name) if isinstance(source, Relation) else None
    if column is not None and column.type.name != "super":
        raise RedshiftError(
            f'column "{name}" of type {column.type.spoken} has no attributes', sqlstate="42703"
        )


def _owner(node: exp.Expr, finder: Finder, index: str) -> str:
    """The name of an index's unnesting."""
    for block in finder.blocks(node):
        for item in _items(block):
            if isinstance(item, exp.Unnest) and item.meta.get("index") == index:
                return str(item.meta["value"])
    return ""


def _keys(names: list[exp.Expr]) -> str:
    """Attributes as steps of DuckDB's JSON path, their case as ``names.fold`` decided."""
    return "".join(_key(name.meta.get("attribute", name.name)) for name in names)


def _key(attribute: str) -> str:
    escaped = attribute.replace("\\", "\\\\").replace('"', '\\"')
    return f'."{escaped}"'


def _get(base: exp.Expr, step: str) -> exp.Expr:
    """One more step of navigation: ``rs_get(x, '$."a"')``."""
    if not step:
        return base
    if isinstance(base, Call) and base.args["this"] == "rs_get":
        path = base.expressions[1]
        if isinstance(path, exp.Literal):
            longer = exp.Literal.string(path.name + step)
            return _marked(call("rs_get", base.expressions[0], longer))
    return _marked(call("rs_get", base, exp.Literal.string("$" + step)))


def _element(node: exp.Bracket) -> exp.Expr:
    (index,) = node.expressions
    if isinstance(index, exp.Literal):
        if not index.name.isdigit() or index.is_string:
            raise unsupported("a subscript of a SUPER value that is no array index")
        return _get(node.this, f"[{index.name}]")
    return _marked(call("rs_element", node.this, index))


def _name_of(node: exp.Expr) -> str:
    while isinstance(node, exp.Bracket):
        node = node.this
    if isinstance(node, Call) and node.args["this"] == "rs_get":
        keys = _KEY.findall(node.expressions[1].name)
        return _ESCAPED.sub(r"\1", keys[-1]) if keys else ""
    return node.alias_or_name


def _rewrite_cast(node: exp.Cast) -> None:
    kind = node.to.this
    if kind == exp.DataType.Type.SUPER:
        node.replace(_marked(call("rs_super", node.this)))
        return
    if not is_super(node.this):
        return
    if kind in _TEXT:
        node.set("this", call("rs_super_text", node.this))
    elif kind == exp.DataType.Type.BOOLEAN:
        node.replace(call("rs_super_bool", node.this))
    elif kind in _WHOLE:
        node.replace(call(_WHOLE[kind], node.this))
    elif kind in _TRIED:
        node.replace(exp.TryCast(this=call("rs_super_text", node.this), to=node.to))
    else:
        raise unsupported(f"a cast of SUPER to {node.to.sql('redshift')}")


def _rewrite_in(node: exp.In) -> None:
    key = call("rs_super_key", node.this)
    if node.args.get("query") is not None:
        raise unsupported("SUPER IN (subquery)")
    node.set("this", key)
    node.set("expressions", [call("rs_super_key", _super(item)) for item in node.expressions])


def _rewrite_call(node: exp.Anonymous) -> None:
    name = str(node.this).lower()
    if name == "json_typeof":  # 'null' for a JSON null, NULL for what is not there
        for value in node.expressions:
            if isinstance(value, Call) and value.args["this"] == "rs_get":
                value.set("this", "json_extract")
    if name in _TAKERS or not any(map(is_super, node.expressions)):
        return
    if name in _MIXED:
        node.set("expressions", [_super(argument) for argument in node.expressions])
        return
    macro = "rs_super_number" if name in _NUMERIC else "rs_super_text"
    node.set("expressions", [call(macro, a) if is_super(a) else a for a in node.expressions])
