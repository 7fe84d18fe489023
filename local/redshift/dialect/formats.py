"""Datetime format strings. https://docs.aws.amazon.com/redshift/latest/dg/r_FORMAT_strings.html"""

from __future__ import annotations

import re

from sqlglot import exp

from local.redshift.engine.errors import unsupported

_CODES = ("HH24", "HH12", "YYYY", "MONTH", "Month", "month", "DAY", "Day", "day", "MON", "Mon",
          "mon", "DDD", "IYYY", "YYY", "YY", "MM", "DD", "DY", "Dy", "dy", "HH", "MI", "SS", "MS",
          "US", "AM", "PM", "am", "pm", "IW", "WW", "ID", "TZ", "OF", "CC", "Q", "D", "J", "Y",
          "W")  # fmt: skip
_TOKEN = re.compile('"([^"]*)"|(FM)|(' + "|".join(_CODES) + r")|(.)", re.DOTALL)

_STRFTIME = {
    "YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "HH24": "%H", "HH12": "%I", "HH": "%I",
    "MI": "%M", "SS": "%S", "MS": "%g", "US": "%f", "AM": "%p", "PM": "%p", "DDD": "%j",
    "IYYY": "%G", "IW": "%V", "ID": "%u", "Mon": "%b", "Month": "%B", "Dy": "%a", "Day": "%A",
}  # fmt: skip


def _f(name: str, *args: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(args))


def _text(value: str) -> exp.Expr:
    return exp.Literal.string(value)


def tokens(pattern: str) -> list[tuple[str, str]]:
    """``YYYY"y"MM`` -> ``[("code", "YYYY"), ("text", "y"), ("code", "MM")]``; FM is ``("fm", "")``."""
    found = []
    for quoted, fill, code, other in _TOKEN.findall(pattern):
        if fill:
            found.append(("fm", ""))
        elif code:
            found.append(("code", code))
        else:
            found.append(("text", quoted or other))
    return found


def to_strptime(pattern: str) -> str:
    """``YYYY-MM-DD HH24:MI:SS`` -> ``%Y-%m-%d %H:%M:%S``, for TO_DATE and TO_TIMESTAMP."""
    out = []
    for kind, value in tokens(pattern):
        if kind == "text":
            out.append(value.replace("%", "%%"))
        elif kind == "code":
            named = {"MON": "%b", "mon": "%b", "MONTH": "%B", "month": "%B"}.get(value)
            code = named or _STRFTIME.get(value)
            if code is None:
                raise unsupported(f"date format {value}")
            out.append(code)
    return "".join(out)


def to_char_parts(value: exp.Expr, pattern: str) -> exp.Expr:
    """The concatenation that TO_CHAR of a datetime is; names are padded to nine without FM."""
    if re.fullmatch(r"[FMSLGPRm09.,DVEei\s$+-]*", pattern) and re.search("[09]", pattern):
        raise unsupported("to_char of a number")
    instant = exp.Cast(this=value, to=exp.DataType.build("TIMESTAMP"))
    parts: list[exp.Expr] = []
    fill = False
    for kind, code in tokens(pattern):
        if kind == "fm":
            fill = True
        elif kind == "text":
            parts.append(_text(code))
        else:
            parts.append(_code(instant, code, fill=fill))
            fill = False
    if not parts:
        return _text("")
    whole = parts[0]
    for part in parts[1:]:
        whole = exp.DPipe(this=whole, expression=part)
    return exp.Paren(this=whole)


def _code(instant: exp.Expr, code: str, *, fill: bool) -> exp.Expr:
    instant = instant.copy()
    if code in _STRFTIME and code not in ("Month", "Day"):
        shown: exp.Expr = _f("strftime", instant, _text(_STRFTIME[code]))
        return _f("ltrim", shown, _text("0")) if fill and code != "US" else shown
    if code.upper() in ("MONTH", "DAY", "MON", "DY"):
        strftime = {"MONTH": "%B", "DAY": "%A", "MON": "%b", "DY": "%a"}[code.upper()]
        shown = _f("strftime", instant, _text(strftime))
        if code.isupper():
            shown = _f("upper", shown)
        elif code.islower():
            shown = _f("lower", shown)
        wide = code.upper() in ("MONTH", "DAY") and not fill
        return _f("rpad", shown, exp.Literal.number(9), _text(" ")) if wide else shown
    if code in ("am", "pm"):
        return _f("lower", _f("strftime", instant, _text("%p")))
    number = _number(instant, code)
    shown = exp.Cast(this=number, to=exp.DataType.build("TEXT"))
    two_digits = code == "WW" and not fill
    return _f("lpad", shown, exp.Literal.number(2), _text("0")) if two_digits else shown


def _number(instant: exp.Expr, code: str) -> exp.Expr:
    """``Q`` quarter, ``D`` day of the week from Sunday 1, ``WW`` week of the year, ``J`` Julian day."""
    one, seven = exp.Literal.number(1), exp.Literal.number(7)
    if code == "Q":
        return _f("quarter", instant)
    if code == "D":
        return exp.Paren(this=exp.Add(this=_f("dayofweek", instant), expression=one))
    if code == "WW":
        before = exp.Paren(this=exp.Sub(this=_f("dayofyear", instant), expression=one))
        weeks = exp.IntDiv(this=before, expression=seven)
        return exp.Paren(this=exp.Add(this=weeks, expression=one.copy()))
    if code == "J":
        day = _f("julian", exp.Cast(this=instant, to=exp.DataType.build("DATE")))
        return exp.Cast(this=day, to=exp.DataType.build("BIGINT"))
    raise unsupported(f"date format {code}")
