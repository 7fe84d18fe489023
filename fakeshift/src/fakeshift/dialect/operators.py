"""Operators and CASE."""

from __future__ import annotations

import re

from sqlglot import exp

from fakeshift.dialect.grammar import Value, call, may_be_date, to_duckdb
from fakeshift.errors import unsupported

_NUMBER_OR_DATE = re.compile(r"\s*[+-]?\d")
_CLOCK_ONLY = re.compile(r"0 months 0 days (\d+) microseconds")
_MAY_FAIL = ("rs_int2", "rs_int4", "rs_int8", "rs_float4", "rs_float8", "rs_date", "rs_timestamp")


def concatenate(node: exp.DPipe) -> exp.Expr:
    """``'n: ' || 1.0`` -> ``'n: ' || rs_text(1.0)``: numbers are formatted as in Redshift.

    https://docs.aws.amazon.com/redshift/latest/dg/r_concat_op.html
    """
    for side in ("this", "expression"):
        operand = node.args[side]
        if not isinstance(operand, (exp.Literal, exp.DPipe)) or (
            isinstance(operand, exp.Literal) and not operand.is_string
        ):
            node.set(side, exp.Anonymous(this="rs_text", expressions=[operand]))
    return node


def as_text(node: exp.Expr) -> exp.Expr:
    """``n`` -> ``rs_text(n)``, a string unchanged."""
    if isinstance(node, exp.Literal) and node.is_string:
        return node
    return exp.Anonymous(this="rs_text", expressions=[node])


def add(node: exp.Add) -> exp.Expr:
    """``firstname + ' ' + lastname`` -> ``firstname || ' ' || lastname``: + also joins strings.

    Recognised by a literal that is neither number nor interval; the example of dg/r_NVL2.html.
    """
    if any(_is_text(node.args[side]) for side in ("this", "expression")):
        return concatenate(exp.DPipe(this=node.this, expression=node.expression))
    return arithmetic(node)


_LARGEST_INTEGER = 2**31 - 1


def arithmetic(node: exp.Expr) -> exp.Expr:
    """``s * 30000`` -> ``s * CAST(30000 AS INT)``: a whole number is an INTEGER, also beside a SMALLINT.

    https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html
    """
    if isinstance(node, exp.Mul):
        for number, interval in ((node.this, node.expression), (node.expression, node.this)):
            size = _microseconds(interval)
            if size:
                return _times(number, size)
    for side in ("this", "expression"):
        operand = node.args[side]
        if _is_integer(operand) and int(operand.name) <= _LARGEST_INTEGER:
            node.set(side, exp.Cast(this=operand, to=exp.DataType.build("INT")))
    node.set("typed", False)  # sqlglot would cast a division of typed integers to BIGINT
    return node


def _microseconds(node: exp.Expr) -> str:
    """The size of a literal interval without months and days, "" for anything else."""
    if not isinstance(node, exp.Cast) or node.to.this != exp.DataType.Type.INTERVAL:
        return ""
    found = _CLOCK_ONLY.fullmatch(node.this.name)
    return found[1] if found else ""


def _times(number: exp.Expr, size: str) -> exp.Expr:
    """``ms * INTERVAL '0.001 second'`` -> ``to_microseconds(CAST(round(CAST(ms AS DOUBLE) * 1000) AS BIGINT))``:
    DuckDB multiplies only by an INTEGER.
    """
    kind = exp.DataType.build("DOUBLE")
    product = exp.Mul(this=exp.Cast(this=number, to=kind), expression=exp.Literal.number(size))
    whole = exp.Cast(this=call("round", product), to=exp.DataType.build("BIGINT"))
    return call("to_microseconds", whole)


def _is_integer(node: exp.Expr) -> bool:
    if isinstance(node, Value) or not isinstance(node, exp.Literal):
        return False
    return not node.is_string and bool(node.name.isdigit())


def _is_text(node: exp.Expr) -> bool:
    if isinstance(node, exp.Paren):
        return _is_text(node.this)
    if isinstance(node, Value):
        return False
    if isinstance(node, exp.Literal):
        return bool(node.is_string) and not _NUMBER_OR_DATE.match(node.name)
    return isinstance(node, exp.DPipe)


def eager_case(node: exp.Case) -> exp.Expr:
    """``CASE WHEN c THEN CAST(x AS INT) ELSE 0 END`` evaluates the cast for every row.

    -> ``CASE WHEN hash(CAST(x AS INT)) IS NULL THEN NULL WHEN c THEN CAST(x AS INT) ELSE 0 END``:
    hash is never NULL, but has to be computed. Redshift fails on branches that are not taken
    (seen on real clusters, exmergo/dex#307). Approximate: a branch with a subquery, a window or another
    CASE stays lazy.
    """
    branches = [when.args["true"] for when in node.args["ifs"]]
    if node.args.get("default") is not None:
        branches.append(node.args["default"])
    risky = {to_duckdb(call): call for branch in branches for call in _may_fail(branch)}
    if not risky or node.args.get("this") is not None:
        return node
    hashed = exp.Anonymous(this="hash", expressions=[call.copy() for call in risky.values()])
    first = exp.If(this=exp.Is(this=hashed, expression=exp.Null()), true=exp.Null())
    node.set("ifs", [first, *node.args["ifs"]])
    return node


def _may_fail(branch: exp.Expr) -> list[exp.Expr]:
    """The casts and divisions of a branch."""
    found: list[exp.Expr] = []
    for node in branch.find_all(exp.Anonymous, exp.Div, exp.Mod):
        cast = isinstance(node, exp.Anonymous) and str(node.this).lower() in _MAY_FAIL
        fails = cast or isinstance(node, (exp.Div, exp.Mod))
        if fails and not node.find(exp.Query, exp.Window, exp.Case):
            found.append(node)
    return found


def comparison(node: exp.Expr) -> exp.Expr:
    """``d = '12-31-2008'`` -> ``d = rs_as(d, '12-31-2008')``: a date, if ``d`` is one.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Date_and_time_literals.html
    """
    this, other = node.this, node.args["expression"]
    if isinstance(node.parent, exp.Update):  # an assignment
        return node
    if may_be_date(other):
        node.set("expression", _as(this, other))
    elif may_be_date(this):
        node.set("this", _as(other, this))
    return node


def between(node: exp.Between) -> exp.Expr:
    """Like ``comparison``, for both bounds."""
    for end in ("low", "high"):
        if may_be_date(node.args[end]):
            node.set(end, _as(node.this, node.args[end]))
    return node


def among(node: exp.In) -> exp.Expr:
    """Like ``comparison``, for the members of a list."""
    listed = [_as(node.this, one) if may_be_date(one) else one for one in node.expressions]
    node.set("expressions", listed)
    return node


def _as(kind: exp.Expr, value: exp.Expr) -> exp.Expr:
    return call("rs_as", kind.copy(), value)


def similar_to(node: exp.SimilarTo) -> exp.Expr:
    """``a SIMILAR TO 'x%(b|c)_'`` -> ``regexp_full_match(a, 'x.*(b|c).', 's')``.

    https://docs.aws.amazon.com/redshift/latest/dg/pattern-matching-conditions-similar-to.html
    """
    return node if _is_similar(node.parent) else _similar(node, "\\")


def like(node: exp.Expr) -> exp.Expr:
    """``n LIKE 'a\\_%'`` -> ``rs_text(n) LIKE 'a\\_%' ESCAPE '\\'``: a backslash escapes by default; a
    number is matched as text.

    https://docs.aws.amazon.com/redshift/latest/dg/r_patternmatching_condition_like.html
    """
    node.set("this", as_text(node.this))
    if not isinstance(node, (exp.Like, exp.ILike)) or isinstance(node.parent, exp.Escape):
        return node
    pattern = node.expression
    known = isinstance(pattern, exp.Literal) and not isinstance(pattern, Value)
    if known and "\\" not in pattern.name:
        return node
    return exp.Escape(this=node.copy(), expression=exp.Literal.string("\\"))


def escape(node: exp.Escape) -> exp.Expr:
    """``a SIMILAR TO 'x^_' ESCAPE '^'`` -> ``regexp_full_match(a, 'x_', 's')``."""
    return _similar(node.this, node.expression.name) if _is_similar(node) else node


def _is_similar(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Escape) and isinstance(node.this, exp.SimilarTo)


def _similar(node: exp.SimilarTo, mark: str) -> exp.Expr:
    pattern = node.expression
    if not pattern.is_string:
        raise unsupported("SIMILAR TO a computed pattern")
    arguments = [exp.Literal.string(similar(pattern.name, mark)), exp.Literal.string("s")]
    return exp.Anonymous(this="regexp_full_match", expressions=[as_text(node.this), *arguments])


def similar(pattern: str, mark: str) -> str:
    """``a.c%`` -> ``a\\.c.*``: only ``% _ | * + ? {} () []`` are special."""
    out, inside, escaped = [], False, False
    for character in pattern:
        if escaped:
            out.append(re.escape(character))
            escaped = False
        elif character == mark:
            escaped = True
        elif inside:
            out.append(character)
            inside = character != "]"
        elif character in "%_":
            out.append(".*" if character == "%" else ".")
        else:
            out.append("\\" + character if character in ".^$\\" else character)
            inside = character == "["
    return "".join(out)
