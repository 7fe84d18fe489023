"""Datetime format strings. https://docs.aws.amazon.com/redshift/latest/dg/r_FORMAT_strings.html"""

from __future__ import annotations

import re

from sqlglot import exp

from local.redshift.engine.errors import unsupported

_WORDS = ("MONTH", "Month", "month", "DAY", "Day", "day", "MON", "Mon", "mon", "DY", "Dy", "dy", "AM",
          "PM", "am", "pm")  # fmt: skip
_CODES = ("HH24", "HH12", "YYYY", "DDD", "IYYY", "YYY", "YY", "MM", "DD", "HH", "MI", "SS", "MS", "US",
          "IW", "WW", "ID", "TZ", "OF", "CC", "Q", "D", "J", "Y", "W")  # fmt: skip
"""Words keep their case in what they write; the other codes may be written in small letters too."""
_TOKEN = re.compile(
    '"([^"]*)"|(FM|fm)|(' + "|".join(_WORDS) + ")|((?i:" + "|".join(_CODES) + "))|(.)", re.DOTALL
)

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
    for quoted, fill, word, code, other in _TOKEN.findall(pattern):
        if fill:
            found.append(("fm", ""))
        elif word or code:
            found.append(("code", word or code.upper()))
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
    if is_numeric(pattern):
        return number_as_text(value, pattern)
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
    if code == "TZ":
        return _text("UTC")
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
    if code == "CC":
        before = exp.Paren(
            this=exp.Add(this=_f("year", instant), expression=exp.Literal.number(99))
        )
        return exp.IntDiv(this=before, expression=exp.Literal.number(100))
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


# -- numbers: https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_formating.html ------------

_NUMERIC = re.compile(r"(?:FM|MI|PL|SG|PR|RN|TH|[09.,DGSLVB$\s+-])+", re.IGNORECASE)
_SIGNS = ("PR", "MI", "SG", "S")


def is_numeric(pattern: str) -> bool:
    """Whether a format is one of numbers."""
    return bool(_NUMERIC.fullmatch(pattern) and re.search("[09]|RN", pattern, re.IGNORECASE))


def _digits(pattern: str) -> tuple[str, str]:
    """The digits before and after the decimal point, separators among them: ("99G999", "99")."""
    plain = re.sub("FM|MI|PR|SG|[SL$\\s]", "", pattern.upper())
    if re.search("[^09.,DG]", plain):
        raise unsupported(f"numeric format {pattern}")
    before, _, after = plain.replace("D", ".").replace("G", ",").partition(".")
    return before, after


def number_as_text(value: exp.Expr, pattern: str) -> exp.Expr:
    """``to_char(-125.8, '999D99S')`` -> digits by DuckDB's format(), sign and blanks around them.

    A number that needs more digits than the format has is shown as ``#``.
    """
    upper = pattern.upper()
    if "RN" in upper or "$" in upper:
        raise unsupported(f"numeric format {pattern}")
    before, after = _digits(pattern)
    sign = next((s for s in _SIGNS if s in upper), "")
    zeros = "0" in before
    group = "," if "," in before else ""
    places = len(before)
    number = exp.Cast(this=value, to=exp.DataType.build("DECIMAL(38,10)", dialect="duckdb"))
    shown: exp.Expr = _f(
        "format",
        _text(f"{{:{group}.{len(after)}f}}"),
        exp.Cast(
            this=_f("abs", _f("round", number, exp.Literal.number(len(after)))),
            to=exp.DataType.build("DOUBLE"),
        ),
    )
    if not zeros and after:
        shown = _f("regexp_replace", shown, _text("^0\\."), _text("."))
    width = places + (len(after) + 1 if after else 0)
    fill = "FM" in upper
    where = "end" if upper.endswith(sign) and sign and not upper.startswith(sign) else "start"
    marks = (sign, where, "FM" if fill else "", "L" if "L" in upper else "")
    arguments = [number.copy(), shown, exp.Literal.number(width), _text("0" if zeros else " ")]
    return _f("rs_number_text", *arguments, *map(_text, marks))


def number_of(value: exp.Expr, pattern: str) -> exp.Expr:
    """``to_number('12,454.8-', '99G999D9S')`` -> ``rs_number('12,454.8-')`` as DECIMAL(6, 1)."""
    before, after = _digits(pattern)
    scale = len(after)
    precision = min(38, max(1, len(before.replace(",", "")) + scale))
    to = exp.DataType.build(f"DECIMAL({precision},{scale})", dialect="duckdb")
    return exp.Cast(this=_f("rs_number", value), to=to)
