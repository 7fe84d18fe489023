"""Date and time functions.

https://docs.aws.amazon.com/redshift/latest/dg/Date_functions_header.html
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from fakeshift.dialect.formats import number_of, parsed, to_char_parts
from fakeshift.dialect.zones import zone
from fakeshift.errors import RedshiftError, unsupported

Args = list[exp.Expr]

_PARTS: dict[str, tuple[str, ...]] = {
    "millennium": ("mil", "mils", "millennia"),
    "century": ("c", "cent", "cents", "centuries"),
    "decade": ("dec", "decs", "decades"),
    "epoch": (),
    "year": ("y", "yr", "yrs", "years"),
    "quarter": ("qtr", "qtrs", "quarters"),
    "month": ("mon", "mons", "months"),
    "week": ("w", "weeks"),
    "dow": ("dayofweek", "dw", "weekday"),
    "doy": ("dayofyear", "dy", "yearday"),
    "day": ("d", "days"),
    "hour": ("h", "hr", "hrs", "hours"),
    "minute": ("m", "min", "mins", "minutes"),
    "second": ("s", "sec", "secs", "seconds"),
    "millisecond": ("ms", "msec", "msecs", "msecond", "mseconds", "millisec", "millisecs",
                    "millisecon", "milliseconds"),
    "microsecond": ("us", "usec", "usecs", "usecond", "useconds", "microsec", "microsecs",
                    "microsecond", "microseconds"),
}  # fmt: skip
PART_OF = {alias: name for name, aliases in _PARTS.items() for alias in (name, *aliases)}
"""``yrs`` -> ``year``."""


def part_name(node: exp.Expr) -> str:
    """``yrs`` -> ``year``: the date parts' aliases.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Dateparts_for_datetime_functions.html
    """
    written = node.name.lower()
    if isinstance(node, exp.Var) and written == "dayofweek":
        written = "dow"
    if written not in PART_OF:
        raise RedshiftError(f'timestamp units "{written}" not recognized', sqlstate="22023")
    return PART_OF[written]


def _f(name: str, *args: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(args))


def _instant(value: exp.Expr) -> exp.Expr:
    return _f("rs_instant", value)


def _timestamp(value: exp.Expr) -> exp.Expr:
    """Any date, timestamp or text as a timestamp."""
    return _f("rs_timestamp", value)


def extract(node: exp.Extract) -> exp.Expr:
    """``EXTRACT(epoch FROM t)`` -> ``CAST(date_part('epoch', t) AS BIGINT)``.

    https://docs.aws.amazon.com/redshift/latest/dg/r_EXTRACT_function.html: an INTEGER of TIMESTAMP
    """
    return _part(part_name(node.this), node.expression)


def _part(part: str, value: exp.Expr) -> exp.Expr:
    taken: exp.Expr = _f("date_part", exp.Literal.string(part), _instant(value))
    if part == "epoch":
        return exp.Cast(this=_f("floor", taken), to=exp.DataType.build("BIGINT"))
    if part == "millisecond":
        return exp.Mod(this=taken, expression=exp.Literal.number(1000))
    if part == "microsecond":
        return exp.Mod(this=taken, expression=exp.Literal.number(1000000))
    if part == "decade":  # the first starts with the year 1, the 201st with 2000
        taken = exp.Paren(this=exp.Add(this=taken, expression=exp.Literal.number(1)))
    return exp.Cast(this=taken, to=exp.DataType.build("INT"))


def _date_part(args: Args) -> exp.Expr:
    """``date_part(dow, t)``, also ``'dow'``: a double; seconds and smaller parts include all smaller ones.

    .../dg/r_DATE_PART_function.html
    .../dg/r_Dateparts_for_datetime_functions.html#r_Dateparts_for_datetime_functions-variations-in-results
    """
    part, value = args
    name = part_name(part)
    if name not in _OF_A_SECOND:
        return exp.Cast(this=_part(name, value), to=exp.DataType.build("DOUBLE"))
    whole = _f("date_part", exp.Literal.string("microsecond"), _instant(value))
    double = exp.Cast(this=whole, to=exp.DataType.build("DOUBLE"))
    return exp.Paren(this=exp.Div(this=double, expression=exp.Literal.number(_OF_A_SECOND[name])))


_OF_A_SECOND = {"second": 1_000_000, "millisecond": 1000, "microsecond": 1}
"""Microseconds."""


def _date_trunc(args: Args) -> exp.Expr:
    """``date_trunc('week', t)``: a timestamp; weeks start on Monday. .../dg/r_DATE_TRUNC.html"""
    part, value = args
    name = part_name(part)
    if name in ("century", "millennium"):  # they start with a year that ends in 1
        size = exp.Literal.number(100 if name == "century" else 1000)
        return _f("rs_trunc_years", _timestamp(value), size)
    return _f("date_trunc", exp.Literal.string(name), _timestamp(value))


def _dateadd(args: Args) -> exp.Expr:
    """``dateadd(day, 2, d)`` -> ``rs_plus(d, to_days(2))``: a timestamp; a time for a time.

    February 29 plus a year is March 1, plus 12 months February 28. .../dg/r_DATEADD_function.html
    """
    part, number, value = part_name(args[0]), args[1], args[2]
    months = {"month": 1, "quarter": 3}
    years = {"year": 1, "decade": 10, "century": 100, "millennium": 1000}
    whole = exp.Cast(this=exp.Paren(this=number), to=exp.DataType.build("BIGINT"))
    if part in years or part in months:
        size = exp.Literal.number(years.get(part) or months[part])
        count = exp.Cast(this=exp.Mul(this=whole, expression=size), to=exp.DataType.build("INT"))
        if part in years:
            return _f("rs_add_years", _timestamp(value), count)
        return _f("rs_plus", value, _f("to_months", count))
    makers = {"week": "to_weeks", "day": "to_days", "hour": "to_hours", "minute": "to_minutes",
              "second": "to_seconds", "millisecond": "to_milliseconds",
              "microsecond": "to_microseconds"}  # fmt: skip
    if part not in makers:
        raise unsupported(f"dateadd({part}, ...)")
    if part in ("week", "day"):
        whole = exp.Cast(this=whole, to=exp.DataType.build("INT"))
    return _f("rs_plus", value, _f(makers[part], whole))


def _datediff(args: Args) -> exp.Expr:
    """``datediff(day, a, b)``: boundaries crossed, BIGINT. .../dg/r_DATEDIFF_function.html"""
    part = part_name(args[0])
    first, second = (_f("rs_moment", argument) for argument in args[1:3])
    return _f("date_diff", exp.Literal.string(part), first, second)


def _add_months(args: Args) -> exp.Expr:
    """.../dg/r_ADD_MONTHS.html"""
    value, number = args
    return _f("rs_add_months", _timestamp(value), number)


def _last_day(args: Args) -> exp.Expr:
    """.../dg/r_LAST_DAY.html"""
    (value,) = args
    return _f("last_day", _f("rs_date", value))


def _getdate(args: Args) -> exp.Expr:
    """``getdate()``: now, without a time zone, in seconds. .../dg/r_GETDATE.html"""
    if args:
        raise ValueError
    return _f("date_trunc", exp.Literal.string("second"), _now())


def _sysdate(args: Args) -> exp.Expr:
    """``SYSDATE``: the transaction's start, without a time zone. .../dg/r_SYSDATE.html"""
    if args:
        raise ValueError
    return _now()


def _now() -> exp.Expr:
    return exp.Cast(this=_f("now"), to=exp.DataType.build("TIMESTAMP"))


def current_date(_: exp.CurrentDate) -> exp.Expr:
    """``CURRENT_DATE``: in UTC, the session's time zone. .../dg/r_CURRENT_DATE_function.html"""
    return exp.Cast(this=_f("now"), to=exp.DataType.build("DATE"))


def _convert_timezone(args: Args) -> exp.Expr:
    """``convert_timezone(['UTC',] 'America/New_York', t)`` -> ``timezone('America/New_York',
    timezone('UTC', t))``, a timestamp without a zone. .../dg/CONVERT_TIMEZONE.html
    """
    source = zone(args[0]) if len(args) == 3 else exp.Literal.string("UTC")
    target, value = zone(args[-2]), args[-1]
    timestamp = _timestamp(value)
    return _f("timezone", target, _f("timezone", source, timestamp))


def _timezone(args: Args) -> exp.Expr:
    """``timezone('PST', t)``, as ``t AT TIME ZONE 'PST'``. .../dg/r_TIMEZONE.html"""
    name, value = args
    return _f("timezone", zone(name), value)


def _to_date(args: Args) -> exp.Expr:
    """``to_date(a, 'YYYY-MM-DD' [, is_strict])`` -> ``CAST(<the timestamp> AS DATE)``.

    .../dg/r_TO_DATE_function.html
    """
    return exp.Cast(this=_parsed(args), to=exp.DataType.build("DATE"))


def _to_timestamp(args: Args) -> exp.Expr:
    """``to_timestamp(a, format [, is_strict])``: has a time zone. .../dg/r_TO_TIMESTAMP.html"""
    return exp.Cast(this=_parsed(args), to=exp.DataType.build("TIMESTAMPTZ"))


def _parsed(args: Args) -> exp.Expr:
    value, pattern = args[0], args[1]
    strict = args[2] if len(args) > 2 else exp.false()
    if not pattern.is_string:
        raise unsupported("a computed date format")
    return parsed(value, pattern.name, strict)


def _months_between(args: Args) -> exp.Expr:
    """``months_between(a, b)``: whole for equal days or two last days. .../dg/r_MONTHS_BETWEEN_function.html"""
    first, second = (_f("rs_moment", argument) for argument in args)
    return _f("rs_months_between", first, second)


_WEEKDAYS = {
    short: number
    for number, names in enumerate(
        ("su sun sunday", "m mo mon monday", "tu tue tues tuesday", "w we wed wednesday",
         "th thu thurs thursday", "f fr fri friday", "sa sat saturday")
    )
    for short in names.split()
}  # fmt: skip


def _next_day(args: Args) -> exp.Expr:
    """``next_day(d, 'Tue')``: the next such day after ``d``. .../dg/r_NEXT_DAY.html"""
    value, day = args
    if not day.is_string:
        raise unsupported("next_day with a computed day")
    number = _WEEKDAYS.get(day.name.lower())
    if number is None:
        raise RedshiftError(f'Invalid day "{day.name}"', sqlstate="22023")
    return _f("rs_next_day", _timestamp(value), exp.Literal.number(number))


def _compare(args: Args) -> exp.Expr:
    """``date_cmp(a, b)`` and its like: -1, 0, 1. .../dg/r_DATE_CMP.html"""
    first, second = (_f("rs_moment", argument) for argument in args)
    return _f("rs_compare", first, second)


def _date_part_year(args: Args) -> exp.Expr:
    """.../dg/r_DATE_PART_YEAR.html"""
    (value,) = args
    return _part("year", value)


def _to_number(args: Args) -> exp.Expr:
    """``to_number('12,454.8-', '99G999D9S')`` -> NUMERIC with as many digits. .../dg/r_TO_NUMBER.html"""
    value, pattern = args
    if not pattern.is_string:
        raise unsupported("to_number with a computed format")
    return number_of(value, pattern.name)


def _to_char(args: Args) -> exp.Expr:
    """``to_char(t, 'YYYY-MM')`` -> ``strftime(t, '%Y') || '-' || strftime(t, '%m')``.

    .../dg/r_TO_CHAR.html. Also of a number with a numeric format.
    """
    value, pattern = args
    if not pattern.is_string:
        raise unsupported("to_char with a computed format")
    return to_char_parts(value, pattern.name)


BUILT: dict[str, Callable[[Args], exp.Expr]] = {
    "date_part": _date_part,
    "pgdate_part": _date_part,
    "datepart": _date_part,
    "date_trunc": _date_trunc,
    "dateadd": _dateadd,
    "date_add": _dateadd,
    "datediff": _datediff,
    "date_diff": _datediff,
    "add_months": _add_months,
    "last_day": _last_day,
    "getdate": _getdate,
    "convert_timezone": _convert_timezone,
    "timezone": _timezone,
    "sysdate": _sysdate,
    "now": _sysdate,
    "to_date": _to_date,
    "to_timestamp": _to_timestamp,
    "to_char": _to_char,
    "to_number": _to_number,
    "months_between": _months_between,
    "next_day": _next_day,
    "date_cmp": _compare,
    "date_cmp_timestamp": _compare,
    "date_cmp_timestamptz": _compare,
    "timestamp_cmp": _compare,
    "timestamp_cmp_date": _compare,
    "timestamptz_cmp": _compare,
    "date_part_year": _date_part_year,
}
