"""Redshift's functions: one entry for each; a function without an entry does not exist.

https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions.html
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from fakeshift.dialect import casts, dates, json_functions, named, session_functions, strings
from fakeshift.dialect.scope import Scope
from fakeshift.errors import RedshiftError, syntax_error, unsupported

Args = list[exp.Expr]
Build = Callable[[Args], exp.Expr]


def call(node: exp.Anonymous, scope: Scope | None) -> exp.Expr:
    """A call of a function, in DuckDB's terms. Raises RedshiftError if the function does not exist."""
    name, args = str(node.name).lower(), list(node.expressions)
    try:
        return _built(name, args, scope)
    except (IndexError, ValueError, KeyError) as error:
        if isinstance(error, KeyError) and name in named.NAMES:
            raise unsupported(f"function {name}") from error
        raise _no_function(name, args) from error


def _built(name: str, args: Args, scope: Scope | None) -> exp.Expr:
    """Raises KeyError for an unknown name, IndexError or ValueError for a wrong number of args."""
    if name in _SAME:
        return exp.Anonymous(this=_SAME[name], expressions=args)
    if name in _BUILT:
        return _BUILT[name](args)
    if scope is None:
        raise KeyError(name)
    if name in session_functions.PRIVILEGE_KINDS:
        kind = session_functions.PRIVILEGE_KINDS[name]
        return session_functions.has_privilege(args, kind, scope)
    if args and name in session_functions.BUILT:
        raise ValueError
    return session_functions.BUILT[name](scope)


def _no_function(name: str, args: Args) -> RedshiftError:
    shown = ", ".join("unknown" for _ in args)
    return RedshiftError(
        f"function {name}({shown}) does not exist",
        hint="No function matches the given name and argument types. You may need to add explicit "
        "type casts.",
        sqlstate="42883",
    )


def anonymous(name: str, *args: exp.Expr) -> exp.Anonymous:
    """A call of one of DuckDB's functions or of our macros."""
    return exp.Anonymous(this=name, expressions=list(args))


_SAME: dict[str, str] = {
    name: name
    for name in (
        # aggregates and windows
        "stddev_samp", "stddev_pop", "var_samp", "var_pop", "bool_and",
        "bool_or", "median", "any_value", "row_number", "rank", "dense_rank", "percent_rank",
        "cume_dist", "ntile", "lag", "lead", "first_value", "last_value", "nth_value", "bit_and",
        "bit_or", "grouping",
        # conditional
        "coalesce", "nullif", "greatest", "least",
        # math
        "abs", "round", "cbrt", "exp", "mod", "pi", "sin",
        "cos", "tan", "asin", "acos", "atan", "atan2", "cot", "degrees", "radians", "random",
        # text
        "chr",
    )
}  # fmt: skip
_SAME.update(
    {
        "nvl": "coalesce",
        "ceil": "rs_ceil",
        "ceiling": "rs_ceil",
        "floor": "rs_floor",
        "grouping_id": "grouping",
        "power": "pow",
        "pow": "pow",
        "stddev": "stddev_samp",
        "variance": "var_samp",
        "sqrt": "rs_sqrt",
        "ln": "rs_ln",
        "dlog1": "rs_ln",
        "dlog10": "rs_log10",
        "log": "rs_log10",
        "dexp": "exp",
        "sign": "rs_sign",
    }
)


def _sum(args: Args) -> exp.Expr:
    """``sum(a)`` -> ``sum(rs_summand(a))``: BIGINT of integers, NUMERIC(38,0) of BIGINT.

    https://docs.aws.amazon.com/redshift/latest/dg/r_SUM.html
    """
    (inner,) = args
    if isinstance(inner, exp.Distinct):
        inner.set("expressions", [anonymous("rs_summand", e) for e in inner.expressions])
        return anonymous("sum", inner)
    return anonymous("sum", anonymous("rs_summand", inner))


def _avg(args: Args) -> exp.Expr:
    """``avg(a)`` -> ``rs_mean(sum(rs_avg_arg(a)), count(a), any_value(rs_avg_type(a)))``.

    BIGINT of integers, NUMERIC of NUMERIC, both truncated; DOUBLE PRECISION of floats.
    https://docs.aws.amazon.com/redshift/latest/dg/r_AVG.html
    """
    (given,) = args
    value = given.expressions[0] if isinstance(given, exp.Distinct) else given
    summand: exp.Expr = anonymous("rs_avg_arg", value)
    if isinstance(given, exp.Distinct):
        summand = exp.Distinct(expressions=[summand])
    sample = anonymous("any_value", anonymous("rs_avg_type", value.copy()))
    count = anonymous("count", given.copy())
    return anonymous("rs_mean", anonymous("sum", summand), count, sample)


def window(node: exp.Window) -> exp.Expr:
    """``<avg as several aggregates> OVER (w)`` -> each of the aggregates ``OVER (w)``."""
    call_: exp.Expr = node.this
    _check_frame(node)
    if isinstance(call_, exp.Anonymous) and str(call_.this) == "rs_ratio":
        (value,) = call_.expressions
        over = node.copy()
        over.set("this", anonymous("sum", value.copy()))
        part = exp.Cast(this=value.copy(), to=exp.DataType.build("DOUBLE"))
        return exp.Paren(this=exp.Div(this=part, expression=over))
    name = str(call_.this) if isinstance(call_, exp.Anonymous) else ""
    if name not in _OF_SEVERAL:
        return node
    for inner in list(call_.find_all(exp.Anonymous)):
        if str(inner.this) in _OF_SEVERAL[name]:
            over = node.copy()
            over.set("this", inner.copy())
            inner.replace(over)
    return call_


_OF_SEVERAL = {"rs_mean": ("sum", "count", "any_value"), "rs_listagg": ("string_agg", "list")}
"""The expression around the aggregates, and the aggregates to which OVER applies."""

_FRAMED = frozenset(
    {"sum", "rs_mean", "count", "min", "max", "stddev_samp", "stddev_pop", "var_samp", "var_pop",
     "first_value", "last_value", "nth_value", "bool_and", "bool_or"}
)  # fmt: skip


def _check_frame(node: exp.Window) -> None:
    """An aggregate with ORDER BY needs ROWS ...; RANGE and GROUPS do not exist. Only LISTAGG accepts
    DISTINCT, and it accepts neither ORDER BY nor a frame.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Window_function_synopsis.html
    """
    order = node.args.get("order")
    keys = [
        *(node.args.get("partition_by") or []),
        *(o.this for o in (order.expressions if order else [])),
    ]
    if any(isinstance(key, exp.Literal) and key.is_string for key in keys):
        raise RedshiftError(
            "string literals are not supported in PARTITION BY and ORDER BY of a window",
            sqlstate="0A000",
        )
    spec = node.args.get("spec")
    if spec is not None and str(spec.args.get("kind")).upper() != "ROWS":
        raise syntax_error(str(spec.args.get("kind")))
    inner = node.this.this if isinstance(node.this, exp.IgnoreNulls) else node.this
    if not isinstance(inner, exp.Anonymous):
        return
    if str(inner.this) == "rs_listagg" and (node.args.get("order") or spec is not None):
        raise RedshiftError("LISTAGG takes no ORDER BY and no frame in OVER", sqlstate="0A000")
    if str(inner.this) in _FRAMED and inner.find(exp.Distinct):
        raise RedshiftError("DISTINCT is not supported for window functions", sqlstate="0A000")
    framed = str(inner.this) in _FRAMED
    if framed and node.args.get("order") and spec is None:
        raise RedshiftError(
            "Aggregate window functions with an ORDER BY clause require a frame clause",
            sqlstate="0A000",
        )


def _nvl2(args: Args) -> exp.Expr:
    """``nvl2(a, b, c)`` -> ``CASE WHEN NOT a IS NULL THEN b ELSE c END``.

    https://docs.aws.amazon.com/redshift/latest/dg/r_NVL2.html
    """
    test, given, missing = args
    null = exp.Not(this=exp.Is(this=test, expression=exp.Null()))
    return exp.Case(ifs=[exp.If(this=null, true=given)], default=missing)


def _decode(args: Args) -> exp.Expr:
    """``decode(a, 1, 'x', 'y')`` -> ``CASE WHEN a IS NOT DISTINCT FROM 1 THEN 'x' ELSE 'y' END``.

    NULL equals NULL here. https://docs.aws.amazon.com/redshift/latest/dg/r_DECODE_expression.html
    """
    if len(args) < 3:
        raise ValueError
    subject, rest = args[0], args[1:]
    pairs = [(rest[i], rest[i + 1]) for i in range(0, len(rest) - 1, 2)]
    default = rest[-1] if len(rest) % 2 else None
    ifs = [
        exp.If(this=exp.NullSafeEQ(this=subject.copy(), expression=search), true=result)
        for search, result in pairs
    ]
    return exp.Case(ifs=ifs, default=default)


def _ratio_to_report(args: Args) -> exp.Expr:
    """``ratio_to_report(a) OVER (w)`` -> ``CAST(a AS DOUBLE) / sum(a) OVER (w)``.

    https://docs.aws.amazon.com/redshift/latest/dg/r_WF_RATIO_TO_REPORT.html
    """
    (value,) = args
    return anonymous("rs_ratio", value)


def _trunc(args: Args) -> exp.Expr:
    """``trunc(x [, n])`` of a number, ``trunc(timestamp)`` to its date.

    https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNC.html
    https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNC_date.html
    """
    if len(args) == 2:
        return anonymous("trunc", *args)
    (value,) = args
    return anonymous("rs_trunc", value)


def within_group(node: exp.WithinGroup) -> exp.Expr:
    """``listagg(a, ',') WITHIN GROUP (ORDER BY b)`` -> ``rs_listagg(string_agg(rs_listed(a), ',' ORDER
    BY b))``; DISTINCT keeps the first of equal values.

    https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html
    """
    call_ = node.this
    if isinstance(call_, exp.Anonymous) and str(call_.this) in ("quantile_cont", "quantile_disc"):
        return _percentile(call_, node.expression.expressions[0])
    if not isinstance(call_, exp.Anonymous) or str(call_.this) != "rs_listagg":
        return node
    (joined,) = call_.expressions
    value, separator = joined.expressions
    order = node.expression.expressions
    if isinstance(value, exp.Distinct):
        listed = anonymous("list", exp.Order(this=value.expressions[0], expressions=order))
        return anonymous("rs_listagg", anonymous("rs_joined_once", listed, separator))
    ordered = exp.Order(this=separator, expressions=order)
    return anonymous("rs_listagg", anonymous("string_agg", value, ordered))


def _percentile(call_: exp.Anonymous, order: exp.Ordered) -> exp.Expr:
    """``percentile_cont(0.2) WITHIN GROUP (ORDER BY a DESC)`` -> ``quantile_cont(a, 1 - 0.2)``.

    https://docs.aws.amazon.com/redshift/latest/dg/r_PERCENTILE_CONT.html
    """
    (share,) = call_.expressions
    if order.args.get("desc"):
        share = exp.Sub(this=exp.Literal.number(1), expression=share)
    return anonymous(str(call_.this), order.this, share)


def _quantile(name: str) -> Build:
    def build(args: Args) -> exp.Expr:
        (share,) = args
        return anonymous(name, share)

    return build


def _count(args: Args) -> exp.Expr:
    """``count(a)``, ``count(*)``, ``count(DISTINCT a)``: of one expression only."""
    (value,) = args
    if isinstance(value, exp.Distinct) and len(value.expressions) != 1:
        raise ValueError
    return anonymous("count", value)


def _extreme(name: str) -> Build:
    """``max(a)`` -> ``max(rs_ordered(a))``: not for BOOLEAN.

    https://docs.aws.amazon.com/redshift/latest/dg/r_MAX.html
    """

    def build(args: Args) -> exp.Expr:
        (value,) = args
        if isinstance(value, exp.Distinct):
            (value,) = value.expressions
        return anonymous(name, anonymous("rs_ordered", value, exp.Literal.string(name)))

    return build


def _listagg(args: Args) -> exp.Expr:
    """``listagg(a)`` -> ``rs_listagg(string_agg(rs_listed(a), ''))``: NULLs and empty strings are
    ignored, DISTINCT applies to its argument, the maximum is 65,535 bytes. https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html
    """
    value = args[0]
    separator = args[1] if len(args) > 1 else exp.Literal.string("")
    if isinstance(value, exp.Distinct):
        parts = value.expressions
        separator = parts[1] if len(parts) > 1 else separator
        value = exp.Distinct(expressions=[anonymous("rs_listed", parts[0])])
    else:
        value = anonymous("rs_listed", value)
    return anonymous("rs_listagg", anonymous("string_agg", value, separator))


def _date(args: Args) -> exp.Expr:
    """``date(a)`` is ``CAST(a AS DATE)``: a type's name is a function."""
    (value,) = args
    return casts.cast(exp.Cast(this=value, to=exp.DataType.build("DATE")))


_BUILT: dict[str, Build] = {
    "date": _date,
    "count": _count,
    "min": _extreme("min"),
    "max": _extreme("max"),
    "sum": _sum,
    "percentile_cont": _quantile("quantile_cont"),
    "percentile_disc": _quantile("quantile_disc"),
    "avg": _avg,
    "nvl2": _nvl2,
    "decode": _decode,
    "trunc": _trunc,
    "listagg": _listagg,
    "ratio_to_report": _ratio_to_report,
    **json_functions.BUILT,
    **strings.BUILT,
    **dates.BUILT,
}
