"""Datetime format strings. https://docs.aws.amazon.com/redshift/latest/dg/r_FORMAT_strings.html"""

from __future__ import annotations

import re

from sqlglot import exp

from fakeshift.errors import unsupported

_WORDS = ("MONTH", "Month", "month", "DAY", "Day", "day", "MON", "Mon", "mon", "DY", "Dy", "dy", "RM",
          "rm", "A.M.", "P.M.", "a.m.", "p.m.", "B.C.", "A.D.", "b.c.", "a.d.", "AM", "PM", "am", "pm",
          "BC", "AD", "bc", "ad", "TZ", "tz")  # fmt: skip
_CODES = ("HH24", "HH12", "SSSS", "Y,YYY", "YYYY", "IDDD", "DDD", "IYYY", "IYY", "IY", "YYY", "YY", "MM",
          "DD", "HH", "MI", "SS", "MS", "US", "IW", "WW", "ID", "OF", "CC", "Q", "D", "J", "Y", "W",
          "I")  # fmt: skip
"""The case of a word code decides the output's case; other codes may also be lower case."""
_TOKEN = re.compile(
    '"([^"]*)"|(FM|fm)|('
    + "|".join(map(re.escape, _WORDS))
    + ")|((?i:"
    + "|".join(_CODES)
    + ")(?:TH|th)?)|(.)",
    re.DOTALL,
)
_MERIDIANS = frozenset({"AM", "PM", "am", "pm", "A.M.", "P.M.", "a.m.", "p.m."})
_ERAS = frozenset({"BC", "AD", "bc", "ad", "B.C.", "A.D.", "b.c.", "a.d."})
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")

_STRFTIME = {
    "YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "HH24": "%H", "HH12": "%I", "HH": "%I",
    "MI": "%M", "SS": "%S", "MS": "%g", "US": "%f", "DDD": "%j",
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


# -- text as a moment: https://docs.aws.amazon.com/redshift/latest/dg/r_TO_TIMESTAMP.html --------

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_READ: dict[str, tuple[str, str]] = {
    "YYYY": ("year", "[0-9]{1,4}"), "YY": ("short_year", "[0-9]{1,2}"), "MM": ("month", "[0-9]{1,2}"),
    "DD": ("day", "[0-9]{1,2}"), "DDD": ("yearday", "[0-9]{1,3}"), "HH24": ("hour", "[0-9]{1,2}"),
    "HH12": ("hour12", "[0-9]{1,2}"), "HH": ("hour12", "[0-9]{1,2}"), "MI": ("minute", "[0-9]{1,2}"),
    "SS": ("second", "[0-9]{1,2}"), "MS": ("fraction", "[0-9]{1,3}"), "US": ("fraction", "[0-9]{1,6}"),
    "MON": ("month_name", "(?i:" + "|".join(_MONTHS) + ")"),
    "MONTH": ("month_name", "(?i:" + "|".join(_MONTHS) + ")[a-zA-Z]*"),
    "DAY": ("", "[A-Za-z]+"), "DY": ("", "[A-Za-z]{3}"),
}  # fmt: skip
"""A part's name ("" for skipped text) and its pattern."""
_DEFAULTS = {"year": 1, "month": 1, "day": 1}


def parsed(value: exp.Expr, pattern: str, strict: exp.Expr) -> exp.Expr:
    """``to_timestamp(a, 'YYYY-MM-DD')`` -> ``rs_moment_of(rs_text(a), '^([0-9]{1,4})[^0-9A-Za-z]...',
    ['year', 'month', 'day'], {...}, false)``: further text is ignored.
    """
    regex, names = reading(pattern)
    listed = exp.Array(expressions=[_text(name) for name in names])
    found = _f("regexp_extract", _f("rs_text", value.copy()), _text(regex), listed)
    return _f("rs_moment_of", _f("rs_text", value), *_fields(found, names), strict, _text(pattern))


def reading(pattern: str) -> tuple[str, list[str]]:
    """``YYYYMMDD`` -> ``^\\s*([0-9]{1,4})\\s*([0-9]{1,2})...``, ``["year", "month", "day"]``."""
    out, names = ["^"], []
    for kind, value in tokens(pattern):
        if kind == "text":
            out += [
                r"\s*" if c.isspace() else "." if c.isalnum() else "[^0-9A-Za-z]" for c in value
            ]
        elif value in _MERIDIANS:
            out.append(r"\s*([AaPp]\.?[Mm]\.?)")
            names.append("meridian")
        elif kind == "code":
            name, looks = _READ.get(value.upper(), ("?", ""))
            if name == "?" or (name in names):
                raise unsupported(f"date format {value}")
            out.append(rf"\s*({looks})" if name else rf"\s*{looks}")
            names += [name] if name else []
    return "".join(out), names


def _fields(found: exp.Expr, names: list[str]) -> list[exp.Expr]:
    """Year, month, day, hour, minute, second and microseconds that a pattern has read."""

    def part(name: str, default: int = 0) -> exp.Expr:
        if name not in names:
            return exp.Literal.number(default)
        text = _f("struct_extract", found.copy(), _text(name))
        return text if name in ("month_name", "meridian", "fraction") else _f("rs_read", text)

    year = part("year", 1)
    if "short_year" in names:
        year = _f("rs_full_year", part("short_year"))
    month = part("month", 1)
    if "month_name" in names:
        month = _f("rs_month_number", part("month_name"))
    day = part("yearday" if "yearday" in names else "day", 1)
    hour = part("hour")
    if "hour12" in names:
        hour = part("hour12")
        if "meridian" in names:
            hour = _f("rs_hour_of", hour, part("meridian"))
    fraction = _f("rs_microseconds", part("fraction")) if "fraction" in names else part("fraction")
    return [year, month, day, hour, part("minute"), part("second"), fraction]


# -- a moment as text ----------------------------------------------------------------------------


def to_char_parts(value: exp.Expr, pattern: str) -> exp.Expr:
    """TO_CHAR of a datetime as a concatenation; without FM names are padded to nine."""
    if is_numeric(pattern):
        return number_as_text(value, pattern)
    instant = _f("rs_timestamp", value)
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
    if code in ("TZ", "tz"):
        return _text("UTC" if code == "TZ" else "utc")
    if code == "OF":
        return _text("+00")
    if code in _MERIDIANS:
        return _meridian(instant, code)
    if code in _ERAS:
        return _text(_in_style("AD", code))
    if code in ("RM", "rm"):
        return _roman_month(instant, code, fill=fill)
    number = _number(instant, code)
    shown = exp.Cast(this=number, to=exp.DataType.build("TEXT"))
    two_digits = code == "WW" and not fill
    return _f("lpad", shown, exp.Literal.number(2), _text("0")) if two_digits else shown


def _in_style(word: str, code: str) -> str:
    """``AD`` as ``b.c.`` is written: ``a.d.``."""
    shown = f"{word[0]}.{word[1]}." if "." in code else word
    return shown.lower() if code.islower() else shown


def _meridian(instant: exp.Expr, code: str) -> exp.Expr:
    noon = exp.Literal.number(12)
    after = exp.GTE(this=_f("hour", instant), expression=noon)
    then = exp.If(this=after, true=_text(_in_style("PM", code)))
    return exp.Paren(this=exp.Case(ifs=[then], default=_text(_in_style("AM", code))))


def _roman_month(instant: exp.Expr, code: str, *, fill: bool) -> exp.Expr:
    """``RM``: I to XII, padded to four."""
    numerals = exp.Array(expressions=[_text(n if code == "RM" else n.lower()) for n in _ROMAN])
    shown = _f("list_extract", numerals, _f("month", instant))
    return shown if fill else _f("rpad", shown, exp.Literal.number(4), _text(" "))


_SHORT_YEARS = {"YYY": ("year", 3), "Y": ("year", 1), "IYY": ("isoyear", 3), "IY": ("isoyear", 2),
                "I": ("isoyear", 1)}  # fmt: skip


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
    if code in _SHORT_YEARS:
        name, digits = _SHORT_YEARS[code]
        written = exp.Cast(this=_f(name, instant), to=exp.DataType.build("TEXT"))
        return _f("right", written, exp.Literal.number(digits))
    if code == "Y,YYY":
        year = exp.Cast(this=_f("year", instant), to=exp.DataType.build("TEXT"))
        return _f("regexp_replace", year, _text("^(.)(.{3})$"), _text("\\1,\\2"))
    if code == "W":
        before = exp.Paren(this=exp.Sub(this=_f("day", instant), expression=one))
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
    """Whether a format is for numbers."""
    return bool(_NUMERIC.fullmatch(pattern) and re.search("[09]|RN", pattern, re.IGNORECASE))


def _digits(pattern: str) -> tuple[str, str]:
    """The digits before and after the decimal point, with separators: ("99G999", "99")."""
    plain = re.sub("FM|MI|PR|SG|[SL$\\s]", "", pattern.upper())
    if re.search("[^09.,DG]", plain):
        raise unsupported(f"numeric format {pattern}")
    before, _, after = plain.replace("D", ".").replace("G", ",").partition(".")
    return before, after


def number_as_text(value: exp.Expr, pattern: str) -> exp.Expr:
    """``to_char(-125.8, '999D99S')`` -> digits by DuckDB's format(), with sign and blanks.

    A number with more digits than the format is shown as ``#``.
    """
    upper = pattern.upper()
    if upper in ("RN", "FMRN"):
        return _roman(value, pattern)
    if "RN" in upper or "$" in upper:
        raise unsupported(f"numeric format {pattern}")
    before, after = _digits(pattern)
    sign = next((s for s in _SIGNS if s in upper), "")
    zeros = before.find("0")
    if zeros >= 0 and "," in before[zeros:]:
        raise unsupported(f"numeric format {pattern}")
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
    if zeros < 0 and after:
        shown = _f("regexp_replace", shown, _text("^0\\."), _text("."))
    width = places + (len(after) + 1 if after else 0)
    fill = "FM" in upper
    nines = len(after) - len(after.rstrip("9"))
    if fill and nines:
        shown = _f("regexp_replace", shown, _text(f"0{{1,{nines}}}$"), _text(""))
    where = "end" if upper.endswith(sign) and sign and not upper.startswith(sign) else "start"
    marks = (sign, where, "FM" if fill else "", "L" if "L" in upper else "")
    arguments = [number.copy(), shown, exp.Literal.number(width)]
    arguments.append(exp.Literal.number(width - zeros if zeros >= 0 else 0))
    return _f("rs_number_text", *arguments, *map(_text, marks))


def _roman(value: exp.Expr, pattern: str) -> exp.Expr:
    """``to_char(618.80, 'rn')`` -> ``lower(lpad(rs_roman(round(618.80)), 15, ' '))``."""
    number = exp.Cast(this=_f("round", value), to=exp.DataType.build("INT"))
    shown: exp.Expr = _f("rs_roman", number)
    if not pattern.upper().startswith("FM"):
        shown = _f("lpad", shown, exp.Literal.number(15), _text(" "))
    return _f("lower", shown) if pattern.islower() else shown


def number_of(value: exp.Expr, pattern: str) -> exp.Expr:
    """``to_number('12,454.8-', '99G999D9S')`` -> ``rs_number('12,454.8-')`` as DECIMAL(6, 1)."""
    before, after = _digits(pattern)
    scale = len(after)
    precision = min(38, max(1, len(before.replace(",", "")) + scale))
    to = exp.DataType.build(f"DECIMAL({precision},{scale})", dialect="duckdb")
    return exp.Cast(this=_f("rs_number", value), to=to)
