"""DuckDB's errors in Redshift's words."""

from __future__ import annotations

import re
from collections.abc import Callable

import duckdb

from fakeshift.errors import RedshiftError, compute_error, unsupported

Make = Callable[[re.Match[str]], RedshiftError]


def translate(error: duckdb.Error) -> RedshiftError:
    """The RedshiftError of a DuckDB error; its first line if we have no better text."""
    text = str(error)
    for pattern, make in _RULES:
        match = pattern.search(text)
        if match:
            return make(match)
    first = text.split("\n", 1)[0]
    return RedshiftError(first.split("Error: ", 1)[-1])


def invalid_digit(value: str, spoken_type: str) -> RedshiftError:
    """Error 1207 as the compute nodes word it: the first character that is not a digit, and its place."""
    position = _first_bad(value, spoken_type)
    shown = value[position : position + 1]
    message = f"Invalid digit, Value '{shown}', Pos {position}, Type: {spoken_type}"
    return compute_error(message, 1207, value)


def _first_bad(value: str, spoken_type: str) -> int:
    allowed = "0123456789" + (".eE+-" if spoken_type in ("Float4", "Float8", "Decimal") else "")
    start = 1 if value[:1] in ("+", "-") else 0
    return next((i for i in range(start, len(value)) if value[i] not in allowed), len(value))


def _marked(match: re.Match[str]) -> RedshiftError:
    code, what, value = match[1], match[2], match[3]
    if code == "1207":
        return invalid_digit(value, what)
    if code == "json":
        return RedshiftError(f"{what} {value}", sqlstate="22P02")
    if code == "22001":
        return RedshiftError(f"value too long for type {what}", sqlstate="22001")
    return RedshiftError(what, sqlstate=code)


def _not_null(match: re.Match[str]) -> RedshiftError:
    return compute_error(
        f"Cannot insert a NULL value into column {match[1]}", 8007, "query execution"
    )


def _conversion(match: re.Match[str]) -> RedshiftError:
    value, target = match[1], match[2]
    spoken = {
        "INT16": "smallint",
        "INT32": "integer",
        "INT64": "bigint",
        "DOUBLE": "double precision",
        "FLOAT": "real",
        "BOOL": "boolean",
    }.get(target, "numeric" if target.startswith("DECIMAL") else target.lower())
    if value.strip().lstrip("+-").isdigit() and target.startswith("INT"):
        return _out_of_range(value, target)
    return RedshiftError(f'invalid input syntax for type {spoken}: "{value}"', sqlstate="22P02")


def _out_of_range(value: str, target: str) -> RedshiftError:
    size = {"INT16": 2, "INT32": 4, "INT64": 8}.get(target)
    if size is None:
        return RedshiftError("numeric field overflow", sqlstate="22003")
    return compute_error(f"Value out of range for {size} bytes.", 8001, value)


_SPOKEN = {
    "VARCHAR": "character varying",
    "STRING_LITERAL": '"unknown"',
    "INTEGER_LITERAL": "integer",
    "TINYINT": "smallint",
    "DOUBLE": "double precision",
    "FLOAT": "real",
    "DECIMAL": "numeric",
    "TIMESTAMP": "timestamp without time zone",
    "TIME": "time without time zone",
    "JSON": "super",
}


def _no_match(match: re.Match[str]) -> RedshiftError:
    """``operator does not exist: integer + character varying``, ``function f(integer) does ...``."""
    name = "/" if match[1] == "//" else match[1]  # as it was written
    types = [part.split("(")[0].strip() for part in re.sub(r"\([^()]*\)", "", match[2]).split(",")]
    spoken = [_SPOKEN.get(kind, kind.lower()) for kind in types if kind]
    hint = "You may need to add explicit type casts."
    if not name[0].isalnum() and name[0] != "_" and len(spoken) == 2:
        return RedshiftError(
            f"operator does not exist: {spoken[0]} {name} {spoken[1]}",
            hint=f"No operator matches the given name and argument type(s). {hint}",
            sqlstate="42883",
        )
    return RedshiftError(
        f"function {name}({', '.join(spoken)}) does not exist",
        hint=f"No function matches the given name and argument types. {hint}",
        sqlstate="42883",
    )


def _no_cast(match: re.Match[str]) -> RedshiftError:
    source, target = (_SPOKEN.get(m.strip(), m.strip().lower()) for m in match.groups())
    return RedshiftError(f"cannot cast type {source} to {target}", sqlstate="42846")


def _no_common_type(match: re.Match[str]) -> RedshiftError:
    kinds = (_SPOKEN.get(m.split("(")[0], m.lower()) for m in match.groups()[:2])
    return RedshiftError(
        f"{match[3] or 'CASE'} types {' and '.join(kinds)} cannot be matched", sqlstate="42804"
    )


def _no_macro(match: re.Match[str]) -> RedshiftError:
    """Several of our macros take the argument: they all fit a column that is not there, which has no type."""
    if match[1]:
        start = len(match[2]) - len("LINE ")
        call = match[1][start : start + len(match[3])]
        if column := re.fullmatch(r'RS_\w+\((?:"?(\w+)"?\.)?"?(\w+)"?\)', call):
            table, name = column.groups()
            shown = f"{table}.{name}" if table else f'"{name}"'
            return RedshiftError(f"column {shown} does not exist", sqlstate="42703")
    return unsupported("a function of arguments of these types")


def _rule(pattern: str, make: Make) -> tuple[re.Pattern[str], Make]:
    return re.compile(pattern, re.DOTALL), make


def _plain(text: str, sqlstate: str) -> Make:
    return lambda match: RedshiftError(match.expand(text), sqlstate=sqlstate)


_RULES: tuple[tuple[re.Pattern[str], Make], ...] = (
    # from a cast that fails on purpose, and from error()
    _rule(r"Could not convert string ['\"]rs\|(\w+)\|([^|]*)\|(.*?)['\"] to ", _marked),
    _rule(r"rs\|(\w+)\|([^|]*)\|(.*)\Z", _marked),
    _rule(r"NOT NULL constraint failed: [^.]*\.(?:[^.]*\.)*(\w+)", _not_null),
    _rule(
        r"Could not convert string ['\"]#(.*)['\"] to INT(16|32|64)",
        lambda m: invalid_digit(m[1], {"16": "Short", "32": "Integer", "64": "Long"}[m[2]]),
    ),
    _rule(r"Could not convert string ['\"](.*)['\"] to ([A-Z0-9]+)", _conversion),
    _rule(
        r"Type \w+ with value (\S+) can't be cast because the value is out of range for the "
        r"destination type (\w+)",
        lambda m: _out_of_range(m[1], m[2]),
    ),
    _rule(r"Overflow in \w+ of (\w+) \((.*)\)", lambda m: _out_of_range(m[2], m[1])),
    _rule(r"Could not cast value .* to DECIMAL", _plain("numeric field overflow", "22003")),
    _rule(
        r"Casting value \"(.*?)\" to type DECIMAL",
        lambda m: compute_error("Numeric data overflow (result precision)", 1058, m[1]),
    ),
    _rule(r"Date out of range: (\S+)", _plain(r"date/time field value out of range: \1", "22008")),
    _rule(
        r"invalid timestamp field format: \"(.*?)\"",
        _plain(r'invalid input syntax for type timestamp: "\1"', "22007"),
    ),
    _rule(
        r"invalid date field format: \"(.*?)\"",
        _plain(r'invalid input syntax for type date: "\1"', "22007"),
    ),
    _rule(
        r"(?:date|timestamp) field value out of range: \"(.*?)\"",
        _plain(r'date/time field value out of range: "\1"', "22008"),
    ),
    _rule(
        r"Referenced column \"([^\"]*)\" (?:not found|was not found)",
        _plain(r'column "\1" does not exist', "42703"),
    ),
    _rule(
        r"Table \"([^\"]*)\" does not have a column named \"([^\"]*)\"",
        _plain(r"column \1.\2 does not exist", "42703"),
    ),
    _rule(
        r"Referenced table \"([^\"]*)\" not found",
        _plain(r'missing FROM-clause entry for table "\1"', "42P01"),
    ),
    _rule(
        r"Ambiguous reference to column name \"([^\"]*)\"",
        _plain(r'column reference "\1" is ambiguous', "42702"),
    ),
    _rule(
        r"column \"([^\"]*)\" must appear in the GROUP BY clause",
        _plain(
            r'column "\1" must appear in the GROUP BY clause or be used in an aggregate function',
            "42803",
        ),
    ),
    _rule(
        r"WHERE clause cannot contain aggregates",
        _plain("aggregates not allowed in WHERE clause", "42803"),
    ),
    _rule(r"Unknown TimeZone '(.*?)'", _plain(r'time zone "\1" not recognized', "22023")),
    _rule(r"Unimplemented type for cast \(([A-Z_ ]+)\S* -> ([A-Z_ ]+)", _no_cast),
    _rule(r"Division by zero", _plain("division by zero", "22012")),
    _rule(
        r"More than one row returned by a subquery",
        _plain("single-row subquery returns more than one row", "21000"),
    ),
    _rule(
        r"(?:TransactionContext Error|write-write conflict|Transaction conflict|Conflict on|"
        r"another transaction has altered|has been altered by a different transaction)",
        _plain("could not complete because of conflict with concurrent transaction", "40001"),
    ),
    _rule(
        r"Cannot (?:mix values of type|combine types of) (\S+) and (\S+)(?: in (\w+) operator)?",
        _no_common_type,
    ),
    _rule(
        r"Macro rs_\w+\(\) does not support",
        lambda _: unsupported("a function of arguments of these types"),
    ),
    _rule(r"Macro rs_\w+\(\) has multiple overloads(?:[\s\S]*?\nLINE (.*)\n( *)(\^+))?", _no_macro),
    _rule(
        r"Could not choose a best candidate function for the function call \"(.*?)\"",
        lambda m: unsupported(f"an untyped string in {m[1].replace('_LITERAL', '').lower()}"),
    ),
    _rule(
        r"No function matches the given name and argument types '([^\s(]+)\((.*?)\)'\.", _no_match
    ),
    _rule(
        r"Function with name \"?(\w+)\"? does not exist",
        _plain(r"function \1() does not exist", "42883"),
    ),
    _rule(
        r"Table with name \"?([^\" ]+)\"? does not exist",
        _plain(r'relation "\1" does not exist', "42P01"),
    ),
)
