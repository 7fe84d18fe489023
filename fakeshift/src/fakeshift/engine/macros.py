"""Redshift's functions and casts as DuckDB macros, where an expression is not enough.

A macro may have an overload for VARCHAR: DuckDB then selects it by the argument's type, which is
unknown during translation. ``error('rs|code|message|context')`` is parsed by
``engine.duckdb_errors``.
"""

from __future__ import annotations

from fakeshift.engine import zones
from fakeshift.system.pg_types import format_encoding, format_type


def _once(body: str) -> str:
    """``body`` over ``v``, the macro's argument ``x`` evaluated once.

    A macro is expanded as text: each use of its argument repeats the whole argument, and nested casts
    in CASE would explode. A lambda's parameter is a value.
    """
    return f"list_extract(list_transform([x], lambda v: {body}), 1)"


def _integer_cast(name: str, duckdb_type: str) -> str:
    """``CAST(text AS INT)``: digits with a sign and blanks around. Other text keeps the ``#`` that is put
    before it, so the cast fails: ``engine.duckdb_errors`` makes it error 1207.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CAST_function.html
    """
    return f"""
    CREATE OR REPLACE MACRO {name}(x VARCHAR) AS CAST({_DIGITS} AS {duckdb_type}),
        (x) AS CAST(x AS {duckdb_type})
    """


def _try_cast(name: str, duckdb_type: str, text: str) -> str:
    """``TRY_CAST(x AS type)``: ``text`` is the cast of a text ``x``, NULL if that fails.

    https://docs.aws.amazon.com/redshift/latest/dg/r_TRY_CAST.html
    """
    return f"""
    CREATE OR REPLACE MACRO {name}(x VARCHAR) AS {text},
        (x) AS TRY_CAST(x AS {duckdb_type})
    """


def _no_cast(source: str, target: str, duckdb_type: str = "VARCHAR") -> str:
    """A cast that Redshift does not have."""
    return f"CAST(error('rs|42846|cannot cast type {source} to {target}|') AS {duckdb_type})"


def _float_cast(name: str, duckdb_type: str, spoken: str) -> str:
    """``CAST(text AS DOUBLE PRECISION)``: error 1207 for text that is not a number."""
    body = f"""
        CASE WHEN v IS NULL THEN NULL
             WHEN TRY_CAST(v AS {duckdb_type}) IS NOT NULL THEN TRY_CAST(v AS {duckdb_type})
             ELSE CAST(error('rs|1207|{spoken}|' || v) AS {duckdb_type}) END"""
    return f"""
    CREATE OR REPLACE MACRO {name}(x VARCHAR) AS {_once(body)},
        (x) AS CAST(x AS {duckdb_type})
    """


_DIGITS = "regexp_replace('#' || x, '^#(\\s*[+-]?[0-9]+\\s*)$', '\\1')"
_TEXT = """
        CASE WHEN typeof(x) IN ('DOUBLE', 'FLOAT')
             THEN regexp_replace(CAST(x AS VARCHAR), '\\.0$', '')
             ELSE CAST(x AS VARCHAR) END"""
_LEFT_BYTES = """
        CASE WHEN strlen(v) <= n THEN v
             WHEN strlen(v) = length(v) THEN left(v, n)
             ELSE left(v, list_max(list_filter(
                 range(0, n + 1), lambda i: strlen(left(v, i)) <= n))) END"""
_STORE_VARCHAR = """
        CASE WHEN strlen(rtrim(v, ' ')) <= n THEN left(v, n)
             ELSE error('rs|22001|character varying(' || n || ')|' || v) END"""
_STORE_BPCHAR = """
        CASE WHEN strlen(rtrim(v, ' ')) <= n THEN rtrim(v, ' ')
             ELSE error('rs|22001|character(' || n || ')|' || v) END"""

_DATE_FORMATS = """['%Y%m%d', '%m/%d/%Y', '%m-%d-%Y', '%Y/%m/%d', '%b %d %Y', '%b %d, %Y', '%B %d, %Y',
    '%B %d %Y', '%d %b %Y', '%d-%b-%Y', '%Y-%b-%d', '%b-%d-%Y', '%m/%d/%y', '%Y.%m.%d', '%m.%d.%Y']"""
_TIME_FORMATS = """['%Y%m%d %H%M%S', '%Y%m%d %H:%M:%S', '%Y%m%d %H:%M', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %H:%M',
    '%m-%d-%Y %H:%M:%S', '%m-%d-%Y %H:%M', '%Y/%m/%d %H:%M:%S', '%Y/%m/%d %H:%M', '%b %d %Y %H:%M:%S',
    '%b %d, %Y %H:%M:%S', '%B %d, %Y %H:%M:%S', '%d %b %Y %H:%M:%S', '%d-%b-%Y %H:%M:%S',
    '%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y %I:%M %p', '%Y%m%d %H:%M:%S.%f', '%m/%d/%Y %H:%M:%S.%f',
    '%m-%d-%Y %H:%M:%S.%f', '%Y/%m/%d %H:%M:%S.%f', '%b %d %Y %H:%M:%S.%f', '%b %d, %Y %H:%M:%S.%f',
    '%d %b %Y %H:%M:%S.%f', '%Y%m%dT%H%M%S', '%m.%d.%Y %H:%M:%S', '%m.%d.%Y %H:%M:%S.%f',
    '%d.%m.%Y %H:%M:%S', '%d.%m.%Y %H:%M:%S.%f', '%d %b %H:%M:%S %Y']"""
_DATE = _once(f"""
        CASE WHEN v IS NULL OR TRY_CAST(v AS DATE) IS NOT NULL THEN CAST(v AS DATE)
             WHEN try_strptime(trim(v), {_DATE_FORMATS}) IS NOT NULL
             THEN CAST(try_strptime(trim(v), {_DATE_FORMATS}) AS DATE)
             WHEN try_strptime(trim(v), {_TIME_FORMATS}) IS NOT NULL
             THEN CAST(try_strptime(trim(v), {_TIME_FORMATS}) AS DATE)
             WHEN lower(trim(v)) IN ('now', 'today') THEN CAST(now() AS DATE)
             WHEN lower(trim(v)) = 'yesterday' THEN CAST(now() AS DATE) - 1
             WHEN lower(trim(v)) = 'tomorrow' THEN CAST(now() AS DATE) + 1
             ELSE CAST(v AS DATE) END""")
_ZONE_AT_END = (
    r"(:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:\s+[0-9]{4})?)"
    r"\s*([+-][0-9]{1,2}(?::?[0-9]{2})?|Z|z|[A-Za-z_/]{3,})\s*$"
)
"""The text after a time, without AM and PM."""
_STRIPPED = f"regexp_replace(v, '{_ZONE_AT_END}', '\\1')"
_ZONE = f"regexp_extract(v, '{_ZONE_AT_END}', 2)"
_TIMESTAMP_TEXT = f"""
        CASE WHEN v IS NULL OR TRY_CAST(v AS TIMESTAMP) IS NOT NULL THEN CAST(v AS TIMESTAMP)
             WHEN lower(trim(v)) = 'now' THEN CAST(now() AS TIMESTAMP)
             WHEN lower(trim(v)) IN ('today', 'yesterday', 'tomorrow') THEN CAST(rs_date(v) AS TIMESTAMP)
             ELSE coalesce(try_strptime(trim(v), {_TIME_FORMATS}),
                try_strptime(trim(v), {_DATE_FORMATS}), CAST(v AS TIMESTAMP)) END"""
_TIMESTAMP = (
    f"list_extract(list_transform([regexp_replace(x, '{_ZONE_AT_END}', '\\1')], "
    f"lambda v: {_TIMESTAMP_TEXT}), 1)"
)
"""For any text; a time zone in it is ignored."""
_HALF_A_MICROSECOND = "to_microseconds(CAST(regexp_matches(x, '\\.[0-9]{6}[5-9]') AS INTEGER))"
"""To add to what DuckDB cuts: Redshift rounds a fraction of more than six digits (airbytehq/airbyte,
destination-redshift, RedshiftDataCoercionTest.kt).
"""
_ZONES = ", ".join(f"'{name}': '{zones.offset_of(name)}'" for name in zones.OFFSETS)
_TIMESTAMPTZ = _once(f"""
        CASE WHEN v IS NULL THEN NULL
             WHEN map_contains(MAP {{{_ZONES}}}, upper({_ZONE}))
             THEN CAST(CAST(rs_timestamp({_STRIPPED}) AS VARCHAR)
                || MAP {{{_ZONES}}}[upper({_ZONE})] AS TIMESTAMPTZ)
             WHEN TRY_CAST(v AS TIMESTAMPTZ) IS NOT NULL
             THEN CAST(v AS TIMESTAMPTZ) + {_HALF_A_MICROSECOND.replace("(x,", "(v,")}
             WHEN regexp_matches({_ZONE}, '^[+-]')
             THEN CAST(CAST(rs_timestamp({_STRIPPED}) AS VARCHAR) || {_ZONE} AS TIMESTAMPTZ)
             WHEN {_ZONE} <> '' THEN timezone({_ZONE}, rs_timestamp({_STRIPPED}))
             ELSE CAST(rs_timestamp(v) AS TIMESTAMPTZ) END""")
_NO_LOGARITHM_OF_ZERO = (
    "WHEN x = 0 THEN CAST(error('rs|2201E|cannot take logarithm of zero|') AS DOUBLE)"
)
_SOUNDEX = """CASE WHEN v IS NULL OR regexp_replace(upper(v), '[^A-Z]', '', 'g') = '' THEN left(v, 0)
            ELSE rpad(left(regexp_replace(upper(v), '[^A-Z]', '', 'g'), 1) || left(replace(substring(
                rs_sounds(regexp_replace(upper(v), '[^A-Z]', '', 'g')), 2), '0', ''), 3), 4, '0') END"""


def _crc_table() -> list[int]:
    """The CRC-32C of each four bits."""
    table = []
    for bits in range(16):
        for _ in range(4):
            bits = (bits >> 1) ^ (0x82F63B78 if bits & 1 else 0)
        table.append(bits)
    return table


_CRC = str(_crc_table())


def _roman_digits(one: str, five: str, ten: str) -> str:
    """Nothing, I, II, III, IV, V, ... IX as a list in DuckDB."""
    shown = ["", one, one * 2, one * 3, one + five, five, five + one, five + one * 2,
             five + one * 3, one + ten]  # fmt: skip
    return str(shown)


_ROMAN = [
    f"list_extract({_roman_digits(*letters)}, CAST(n // {size} % 10 AS INTEGER) + 1)"
    for size, letters in ((1000, "M??"), (100, "CDM"), (10, "XLC"), (1, "IVX"))
]
_ROUNDED = "cast_to_type(v.total / v.n, v.sample)"
_MEAN = f"""cast_to_type({_ROUNDED} - cast_to_type(
            CASE WHEN typeof(v.sample) LIKE 'DECIMAL%' AND abs({_ROUNDED}) * v.n > abs(v.total)
                 THEN sign(v.total)
                    / pow(10, CAST(regexp_extract(typeof(v.sample), '([0-9]+)\\)', 1) AS INTEGER))
                 ELSE 0 END, v.sample), v.sample)"""
_NUMBERS = "('UBIGINT', 'BIGINT', 'DOUBLE')"
"""json_type's names for numbers."""
_ELEMENTS = "CASE WHEN json_type(x) = 'ARRAY' THEN json_extract(x, '$[*]') ELSE [] END"
_DATES = "('DATE', 'TIME', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'INTERVAL')"
_SUPER = f"""
        CASE WHEN x IS NOT NULL AND typeof(x) IN {_DATES}
             THEN CAST(error('rs|42846|cannot cast type ' || lower(typeof(x)) || ' to super|') AS JSON)
             ELSE to_json(x) END"""
_JSON_TEXT = "json_extract_string(x, p)"

MACROS: tuple[str, ...] = (
    f"CREATE OR REPLACE MACRO rs_format_type(oid, typmod) AS {format_type('oid', 'typmod')}",
    "CREATE OR REPLACE MACRO rs_no_array() AS CAST(NULL AS VARCHAR[])",
    f"CREATE OR REPLACE MACRO rs_format_encoding(code) AS {format_encoding('code')}",
    "CREATE OR REPLACE MACRO rs_differs(a, b) AS a IS DISTINCT FROM b",
    """
    CREATE OR REPLACE MACRO rs_quote_ident(x) AS CASE WHEN regexp_full_match(x, '[a-z_][a-z0-9_]*')
        THEN x ELSE '"' || replace(x, '"', '""') || '"' END
    """,
    _integer_cast("rs_int2", "SMALLINT"),
    _integer_cast("rs_int4", "INTEGER"),
    _integer_cast("rs_int8", "BIGINT"),
    _float_cast("rs_float8", "DOUBLE", "Float8"),
    _float_cast("rs_float4", "FLOAT", "Float4"),
    _try_cast("rs_try_int2", "SMALLINT", f"TRY_CAST({_DIGITS} AS SMALLINT)"),
    _try_cast("rs_try_int4", "INTEGER", f"TRY_CAST({_DIGITS} AS INTEGER)"),
    _try_cast("rs_try_int8", "BIGINT", f"TRY_CAST({_DIGITS} AS BIGINT)"),
    _try_cast("rs_try_float8", "DOUBLE", "TRY_CAST(x AS DOUBLE)"),
    _try_cast("rs_try_float4", "FLOAT", "TRY_CAST(x AS FLOAT)"),
    # casts that Redshift does not have: text to BOOLEAN; a NULL without a type is none
    f"""
    CREATE OR REPLACE MACRO rs_bool(x BOOLEAN) AS x,
        (x VARCHAR) AS {_no_cast("character varying", "boolean", "BOOLEAN")},
        (x DOUBLE) AS {_no_cast("double precision", "boolean", "BOOLEAN")},
        (x FLOAT) AS {_no_cast("real", "boolean", "BOOLEAN")},
        (x SMALLINT) AS CAST(x AS BOOLEAN), (x INTEGER) AS CAST(x AS BOOLEAN),
        (x BIGINT) AS CAST(x AS BOOLEAN), (x HUGEINT) AS CAST(x AS BOOLEAN),
        (x) AS CAST(x AS BOOLEAN)
    """,
    # any value as text: floats without a needless ".0"
    f"CREATE OR REPLACE MACRO rs_text(x VARCHAR) AS CAST(x AS VARCHAR), (x) AS {_TEXT}",
    f"""
    CREATE OR REPLACE MACRO rs_cast_text(x VARCHAR) AS CAST(x AS VARCHAR),
        (x) AS CASE WHEN typeof(x) = 'BOOLEAN' THEN {_no_cast("boolean", "character varying")}
            ELSE rs_text(x) END
    """,
    # LISTAGG leaves NULLs and empty strings out; DISTINCT keeps the first of equal values
    "CREATE OR REPLACE MACRO rs_listed(x) AS nullif(rs_text(x), '')",
    """
    CREATE OR REPLACE MACRO rs_joined_once(l, separator) AS nullif(array_to_string(list_filter(
        l, lambda e, i: e IS NOT NULL AND list_position(l, e) = i), separator), '')
    """,
    """
    CREATE OR REPLACE MACRO rs_listagg(x) AS
        CASE WHEN strlen(x) > 65535 THEN error('rs|XX000|Result size exceeds LISTAGG limit|') ELSE x END
    """,
    # MIN, MAX, SUM: not for BOOLEAN
    """
    CREATE OR REPLACE MACRO rs_ordered(x BOOLEAN, name) AS
            error('rs|42883|function ' || name || '(boolean) does not exist|'),
        (x, name) AS x
    """,
    # CEIL and FLOOR of integers are integers
    *(
        f"""
        CREATE OR REPLACE MACRO rs_{name}(x SMALLINT) AS x, (x INTEGER) AS x, (x BIGINT) AS x,
            (x HUGEINT) AS x, (x) AS {name}(x)
        """
        for name in ("ceil", "floor")
    ),
    # the first n bytes of a text, never half a character; only text has more than ASCII
    f"""
    CREATE OR REPLACE MACRO rs_left_bytes(x VARCHAR, n) AS {_once(_LEFT_BYTES)},
        (x, n) AS left(rs_text(x), n)
    """,
    # blanks at the end of a CHAR mean nothing
    """
    CREATE OR REPLACE MACRO rs_char(x, n) AS rtrim(rs_left_bytes(x, n), ' ')
    """,
    *(
        f"""
        CREATE OR REPLACE MACRO rs_cast_{name}(x VARCHAR, n) AS rs_{name}(x, n),
            (x, n) AS CASE WHEN typeof(x) = 'BOOLEAN' THEN {_no_cast("boolean", spoken)}
                ELSE rs_{name}(x, n) END
        """
        for name, spoken in (("left_bytes", "character varying"), ("char", "character"))
    ),
    # storing into VARCHAR(n), CHAR(n): blanks beyond the length are dropped, more is an error;
    # rs_keep_ is for a column, which can be named more than once at no cost
    f"CREATE OR REPLACE MACRO rs_store_varchar(x, n) AS {_once(_STORE_VARCHAR)}",
    f"CREATE OR REPLACE MACRO rs_store_bpchar(x, n) AS {_once(_STORE_BPCHAR)}",
    f"CREATE OR REPLACE MACRO rs_keep_varchar(v, n) AS {_STORE_VARCHAR}",
    f"CREATE OR REPLACE MACRO rs_keep_bpchar(v, n) AS {_STORE_BPCHAR}",
    # SUM of integers is BIGINT, of BIGINT is NUMERIC(38,0)
    """
    CREATE OR REPLACE MACRO rs_summand(x SMALLINT) AS CAST(x AS BIGINT),
        (x INTEGER) AS CAST(x AS BIGINT),
        (x BIGINT) AS CAST(x AS DECIMAL(38, 0)),
        (x HUGEINT) AS CAST(x AS DECIMAL(38, 0)),
        (x BOOLEAN) AS error('rs|42883|function sum(boolean) does not exist|'),
        (x) AS x
    """,
    # a number without a root or logarithm is an error
    *(
        f"""
        CREATE OR REPLACE MACRO rs_{name}(x) AS
            CASE WHEN x < 0 THEN CAST(error('rs|{code}|cannot take {what} of a negative number|') AS DOUBLE)
                 {zero} ELSE {name}(x) END
        """
        for name, code, what, zero in (
            ("sqrt", "2201F", "square root", ""),
            ("ln", "2201E", "logarithm", _NO_LOGARITHM_OF_ZERO),
            ("log10", "2201E", "logarithm", _NO_LOGARITHM_OF_ZERO),
        )
    ),
    # SIGN has its argument's type
    "CREATE OR REPLACE MACRO rs_sign(x) AS cast_to_type(sign(x), x)",
    """
    CREATE OR REPLACE MACRO rs_avg_arg(x SMALLINT) AS CAST(x AS HUGEINT),
        (x INTEGER) AS CAST(x AS HUGEINT),
        (x BIGINT) AS CAST(x AS HUGEINT),
        (x HUGEINT) AS x,
        (x) AS x
    """,
    """
    CREATE OR REPLACE MACRO rs_avg_type(x SMALLINT) AS CAST(NULL AS BIGINT),
        (x INTEGER) AS CAST(NULL AS BIGINT),
        (x BIGINT) AS CAST(NULL AS BIGINT),
        (x HUGEINT) AS CAST(NULL AS BIGINT),
        (x) AS x
    """,
    # AVG of NUMERIC is truncated at its scale, not rounded: one less in the last place if the rounded
    # mean is too much
    f"""
    CREATE OR REPLACE MACRO rs_mean(total, n, sample) AS list_extract(list_transform(
        [struct_pack(total := total, n := nullif(n, 0), sample := sample)], lambda v: {_MEAN}), 1)
    """,
    # TRUNC(timestamp) is its date, TRUNC(number) drops the fraction
    """
    CREATE OR REPLACE MACRO rs_trunc(x TIMESTAMP) AS CAST(x AS DATE),
        (x) AS trunc(x)
    """,
    # INITCAP: a letter after a character that is neither letter nor digit is upper case
    r"""
    CREATE OR REPLACE MACRO rs_initcap(x) AS
        array_to_string(list_transform(regexp_extract_all(x, '[\p{L}\p{N}]+|[^\p{L}\p{N}]+'),
            lambda w: upper(left(w, 1)) || lower(substring(w, 2))), '')
    """,
    "CREATE OR REPLACE MACRO rs_regexp_count(x, p, options) AS len(regexp_extract_all(x, p, 0, options))",
    # dates and timestamps as DateStyle ISO, MDY reads them
    f"""
    CREATE OR REPLACE MACRO rs_date(x VARCHAR) AS {_DATE},
        (x) AS CAST(x AS DATE)
    """,
    f"""
    CREATE OR REPLACE MACRO rs_timestamp(x VARCHAR) AS {_TIMESTAMP} + {_HALF_A_MICROSECOND},
        (x) AS CAST(x AS TIMESTAMP)
    """,
    # an abbreviation of a time zone is an offset, in summer too
    f"""
    CREATE OR REPLACE MACRO rs_timestamptz(x VARCHAR) AS {_TIMESTAMPTZ},
        (x) AS CAST(x AS TIMESTAMPTZ)
    """,
    _try_cast("rs_try_date", "DATE", "TRY(rs_date(x))"),
    _try_cast("rs_try_timestamp", "TIMESTAMP", "TRY(rs_timestamp(x))"),
    _try_cast("rs_try_timestamptz", "TIMESTAMPTZ", "TRY(rs_timestamptz(x))"),
    # a literal compared with a date or timestamp is read as one
    """
    CREATE OR REPLACE MACRO rs_as(x DATE, v) AS rs_date(v),
        (x TIMESTAMP, v) AS rs_timestamp(v),
        (x TIMESTAMPTZ, v) AS rs_timestamptz(v),
        (x, v) AS v
    """,
    """
    CREATE OR REPLACE MACRO rs_instant(x VARCHAR) AS rs_timestamp(x),
        (x) AS x
    """,
    # TO_DATE, TO_TIMESTAMP: the parts that the format read
    "CREATE OR REPLACE MACRO rs_read(x) AS TRY_CAST(x AS INTEGER)",
    "CREATE OR REPLACE MACRO rs_full_year(y) AS y + CASE WHEN y < 70 THEN 2000 ELSE 1900 END",
    """
    CREATE OR REPLACE MACRO rs_month_number(x) AS
        (strpos('janfebmaraprmayjunjulaugsepoctnovdec', lower(left(x, 3))) + 2) // 3
    """,
    """
    CREATE OR REPLACE MACRO rs_hour_of(h, meridian) AS
        h % 12 + CASE WHEN lower(left(meridian, 1)) = 'p' THEN 12 ELSE 0 END
    """,
    "CREATE OR REPLACE MACRO rs_microseconds(x) AS TRY_CAST(rpad(x, 6, '0') AS INTEGER)",
    """
    CREATE OR REPLACE MACRO rs_moment_of(x, y, mo, d, h, mi, s, us, strict, pattern) AS
        CASE WHEN x IS NULL THEN NULL
             WHEN y IS NULL OR mo IS NULL
             THEN CAST(error('rs|22007|invalid value for the format ' || pattern || '|' || x) AS TIMESTAMP)
             WHEN strict AND TRY(make_date(y, mo, d)) IS NULL
             THEN CAST(error('rs|22008|date/time field date value out of range: '
                || y || '-' || mo || '-' || d || '|') AS TIMESTAMP)
             WHEN strict AND (h > 23 OR mi > 59 OR s > 59)
             THEN CAST(error('rs|22008|date/time field time value out of range: '
                || h || ':' || mi || ':' || s || '.0|') AS TIMESTAMP)
             ELSE CAST(make_date(y, 1, 1) AS TIMESTAMP) + to_months(mo - 1) + to_days(d - 1)
                + to_hours(h) + to_minutes(mi) + to_seconds(s) + to_microseconds(us) END
    """,
    # MONTHS_BETWEEN, ADD_MONTHS: the last day of a month stays the last day
    """
    CREATE OR REPLACE MACRO rs_add_months(d, n) AS
        CASE WHEN CAST(d AS DATE) = last_day(CAST(d AS DATE))
             THEN CAST(last_day(CAST(d AS DATE) + to_months(CAST(n AS INTEGER))) AS TIMESTAMP)
                  + (CAST(d AS TIMESTAMP) - CAST(CAST(d AS DATE) AS TIMESTAMP))
             ELSE CAST(d AS TIMESTAMP) + to_months(CAST(n AS INTEGER)) END
    """,
    """
    CREATE OR REPLACE MACRO rs_trunc_years(t, n) AS
        CAST(make_date((year(t) - 1) // n * n + 1, 1, 1) AS TIMESTAMP)
    """,
    # SUPER: navigation is NULL for a missing value and for a JSON null
    "CREATE OR REPLACE MACRO rs_get(x, p) AS nullif(json_extract(x, p), 'null')",
    """
    CREATE OR REPLACE MACRO rs_element(x, i) AS
        CASE WHEN i < 0 THEN NULL ELSE nullif(json_extract(x, '$[' || i || ']'), 'null') END
    """,
    f"CREATE OR REPLACE MACRO rs_elements(x) AS {_ELEMENTS}",
    "CREATE OR REPLACE MACRO rs_positions(l) AS range(0, len(l))",
    """
    CREATE OR REPLACE MACRO rs_attribute_names(x) AS
        CASE WHEN json_type(x) = 'OBJECT' THEN json_keys(x) ELSE [] END
    """,
    """
    CREATE OR REPLACE MACRO rs_attributes(x) AS
        list_transform(rs_attribute_names(x), lambda k: json_extract(x, '$."' || k || '"'))
    """,
    # a value as SUPER: text becomes a string, it is not parsed
    f"CREATE OR REPLACE MACRO rs_super(x) AS {_SUPER}",
    # The failing cast, and not error(), which is volatile: a window could not be ordered by it.
    """
    CREATE OR REPLACE MACRO rs_json_serialize(x VARCHAR) AS
        CASE WHEN strlen(x) > 65535 THEN CAST(CAST('rs|XX000|JSON_SERIALIZE: the size of the text exceeds the '
            || 'limit of 65535 bytes|' || left(x, 0) AS BIGINT) AS VARCHAR) ELSE x END
    """,
    # SUPER as text, number, boolean: NULL for another type
    """
    CREATE OR REPLACE MACRO rs_super_text(x) AS
        CASE WHEN json_type(x) IN ('ARRAY', 'OBJECT', 'NULL') THEN NULL
             ELSE json_extract_string(x, '$') END
    """,
    f"""
    CREATE OR REPLACE MACRO rs_super_number(x) AS
        CASE WHEN json_type(x) IN {_NUMBERS} THEN CAST(x AS DOUBLE) END
    """,
    """
    CREATE OR REPLACE MACRO rs_super_bool(x) AS
        CASE WHEN json_type(x) IN ('UBIGINT', 'BIGINT') THEN CAST(x AS BIGINT) <> 0
             WHEN json_type(x) IN ('BOOLEAN', 'VARCHAR')
             THEN TRY_CAST(json_extract_string(x, '$') AS BOOLEAN) END
    """,
    # a number is rounded, as numbers are; a string must be a whole number
    *(
        f"""
        CREATE OR REPLACE MACRO rs_super_int{size}(x) AS
            CASE WHEN json_type(x) = 'VARCHAR' THEN rs_try_int{size}(json_extract_string(x, '$'))
                 WHEN json_type(x) IN {_NUMBERS} THEN TRY_CAST(TRY_CAST(
                     json_extract_string(x, '$') AS DECIMAL(38, 10)) AS {kind})
                 WHEN json_type(x) = 'BOOLEAN' THEN CAST(CAST(x AS BOOLEAN) AS {kind}) END
        """
        for size, kind in (("2", "SMALLINT"), ("4", "INTEGER"), ("8", "BIGINT"))
    ),
    # equal if types and values are; all numbers by value
    f"""
    CREATE OR REPLACE MACRO rs_super_key(x) AS
        CASE WHEN json_type(x) IN {_NUMBERS} THEN CAST(CAST(x AS DOUBLE) AS VARCHAR)
             WHEN json_type(x) = 'NULL' THEN NULL
             ELSE CAST(x AS VARCHAR) END
    """,
    *(
        f"""
        CREATE OR REPLACE MACRO rs_super_{name}(a, b) AS
            CASE WHEN json_type(a) IN {_NUMBERS} AND json_type(b) IN {_NUMBERS}
                 THEN CAST(a AS DOUBLE) {sign} CAST(b AS DOUBLE)
                 WHEN json_type(a) = 'VARCHAR' AND json_type(b) = 'VARCHAR'
                 THEN json_extract_string(a, '$') {sign} json_extract_string(b, '$') END
        """
        for name, sign in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="))
    ),
    # ORDER BY: boolean, number, string, array, object
    f"""
    CREATE OR REPLACE MACRO rs_super_rank(x) AS CASE WHEN x IS NULL THEN NULL ELSE struct_pack(
        kind := CASE WHEN json_type(x) = 'BOOLEAN' THEN 1 WHEN json_type(x) IN {_NUMBERS} THEN 2
                     WHEN json_type(x) = 'VARCHAR' THEN 3 WHEN json_type(x) = 'ARRAY' THEN 4 ELSE 5 END,
        number := rs_super_number(x), written := CAST(x AS VARCHAR)) END
    """,
    """
    CREATE OR REPLACE MACRO rs_json_typeof(x) AS
        CASE json_type(x) WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array'
             WHEN 'VARCHAR' THEN 'string' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null'
             ELSE CASE WHEN x IS NOT NULL THEN 'number' END END
    """,
    """
    CREATE OR REPLACE MACRO rs_is_integral(x, kind) AS
        coalesce(json_type(x) IN ('UBIGINT', 'BIGINT') AND list_contains(kind,
            CASE WHEN TRY_CAST(CAST(x AS VARCHAR) AS SMALLINT) IS NOT NULL THEN 2
                 WHEN TRY_CAST(CAST(x AS VARCHAR) AS INTEGER) IS NOT NULL THEN 4 ELSE 8 END), false)
    """,
    # a number with an exponent is a float, as others with a fraction are decimals
    """
    CREATE OR REPLACE MACRO rs_is_float(x) AS
        coalesce(json_type(x) = 'DOUBLE' AND contains(lower(CAST(x AS VARCHAR)), 'e'), false)
    """,
    f"""
    CREATE OR REPLACE MACRO rs_is_decimal(x) AS
        coalesce(json_type(x) IN {_NUMBERS} AND NOT contains(lower(CAST(x AS VARCHAR)), 'e'), false)
    """,
    "CREATE OR REPLACE MACRO rs_is_kind(x, kind) AS coalesce(json_type(x) = kind, false)",
    """
    CREATE OR REPLACE MACRO rs_is_scalar(x) AS
        coalesce(json_type(x) NOT IN ('ARRAY', 'OBJECT', 'NULL'), false)
    """,
    """
    CREATE OR REPLACE MACRO rs_array_length(x) AS
        CASE WHEN json_type(x) = 'ARRAY' THEN CAST(json_array_length(x) AS INTEGER) END
    """,
    """
    CREATE OR REPLACE MACRO rs_attribute_count(x) AS
        CASE WHEN json_type(x) = 'OBJECT' THEN CAST(len(json_keys(x)) AS INTEGER) END
    """,
    """
    CREATE OR REPLACE MACRO rs_array_concat(a, b) AS
        CASE WHEN json_type(a) = 'ARRAY' AND json_type(b) = 'ARRAY'
             THEN to_json(list_concat(rs_elements(a), rs_elements(b))) END
    """,
    """
    CREATE OR REPLACE MACRO rs_array_flatten(x) AS
        CASE WHEN json_type(x) = 'ARRAY'
             THEN to_json(flatten(list_transform(rs_elements(x), lambda e:
                CASE WHEN json_type(e) = 'ARRAY' THEN json_extract(e, '$[*]') ELSE [e] END))) END
    """,
    """
    CREATE OR REPLACE MACRO rs_subarray(x, start, n) AS
        CASE WHEN json_type(x) = 'ARRAY'
             THEN to_json(list_slice(rs_elements(x), start + 1, start + n)) END
    """,
    """
    CREATE OR REPLACE MACRO rs_split_to_array(x, delimiter) AS
        to_json(string_split(x, delimiter))
    """,
    # DuckDB reads commas before a closing bracket, NaN and Infinity, which are not JSON
    r"""
    CREATE OR REPLACE MACRO rs_json_valid(x) AS json_valid(x) AND NOT regexp_matches(
        regexp_replace(x, '"(?:\\.|[^"\\])*"', '""', 'g'), '(?i),\s*[\]}]|nan|inf')
    """,
    # JSON in text
    """
    CREATE OR REPLACE MACRO rs_is_json(x, kind) AS
        CASE WHEN x IS NULL THEN NULL WHEN rs_json_valid(x) THEN json_type(x) = kind ELSE false END
    """,
    f"""
    CREATE OR REPLACE MACRO rs_json_path_text(x, p, lax) AS
        CASE WHEN x IS NULL THEN NULL
             WHEN rs_json_valid(x) THEN {_JSON_TEXT}
             WHEN lax THEN NULL
             ELSE error('rs|json|invalid json object|' || x) END
    """,
    f"""
    CREATE OR REPLACE MACRO rs_json_array_text(x, p, lax) AS
        CASE WHEN x IS NULL THEN NULL
             WHEN rs_is_json(x, 'ARRAY') THEN {_JSON_TEXT}
             WHEN lax THEN NULL
             ELSE error('rs|json|invalid json array object|' || x) END
    """,
    """
    CREATE OR REPLACE MACRO rs_json_length(x, lax) AS
        CASE WHEN x IS NULL THEN NULL
             WHEN rs_is_json(x, 'ARRAY') THEN CAST(json_array_length(x) AS INTEGER)
             WHEN lax THEN NULL
             ELSE CAST(error('rs|json|invalid json array object|' || x) AS INTEGER) END
    """,
    """
    CREATE OR REPLACE MACRO rs_json_parse(x) AS
        CASE WHEN x IS NULL OR rs_json_valid(x) THEN json(x)
             ELSE CAST(error('rs|XX000|JSON parsing error|' || x) AS JSON) END
    """,
    # a value's bytes; for numbers, the lowest first
    """
    CREATE OR REPLACE MACRO rs_low_bytes(x, n) AS list_transform(range(0, n), lambda i:
        CASE WHEN x < 0 THEN x + CAST(pow(256, n) AS HUGEINT) ELSE x END // CAST(pow(256, i) AS HUGEINT) % 256)
    """,
    """
    CREATE OR REPLACE MACRO rs_bytes(x VARCHAR) AS list_transform(range(0, strlen(x)), lambda i:
            CAST(CAST('0x' || substring(hex(x), CAST(2 * i + 1 AS INTEGER), 2) AS INTEGER) AS HUGEINT)),
        (x SMALLINT) AS rs_low_bytes(CAST(x AS HUGEINT), 2),
        (x INTEGER) AS rs_low_bytes(CAST(x AS HUGEINT), 4),
        (x BIGINT) AS rs_low_bytes(CAST(x AS HUGEINT), 8)
    """,
    """
    CREATE OR REPLACE MACRO rs_unsigned(x) AS
        CASE WHEN x < 0 THEN CAST(x AS HUGEINT) + 18446744073709551616 ELSE CAST(x AS HUGEINT) END
    """,
    """
    CREATE OR REPLACE MACRO rs_signed_64(x) AS
        CAST(CASE WHEN x > 9223372036854775807 THEN x - 18446744073709551616 ELSE x END AS BIGINT)
    """,
    """
    CREATE OR REPLACE MACRO rs_fnv(bytes, seed) AS rs_signed_64(list_reduce(
        list_concat([rs_unsigned(seed)], bytes),
        lambda h, b: xor(h, b) * CAST(1099511628211 AS HUGEINT) % 18446744073709551616))
        + CASE WHEN bytes IS NULL THEN NULL ELSE 0 END
    """,
    # CRC-32C, half a byte at a time
    f"CREATE OR REPLACE MACRO rs_crc_step(c) AS xor(c >> 4, list_extract({_CRC}, (c & 15) + 1))",
    """
    CREATE OR REPLACE MACRO rs_crc32(bytes) AS CASE WHEN bytes IS NOT NULL THEN lpad(lower(to_hex(
        xor(4294967295, list_reduce(
            list_concat([4294967295], list_transform(bytes, lambda b: CAST(b AS BIGINT))),
            lambda c, b: rs_crc_step(rs_crc_step(xor(c, b))))))), 8, '0') END
    """,
    # SOUNDEX: the first letter and the codes of the next consonants, equal neighbours once
    """
    CREATE OR REPLACE MACRO rs_sounds(letters) AS regexp_replace(regexp_replace(regexp_replace(
        regexp_replace(regexp_replace(regexp_replace(translate(
            left(letters, 1) || regexp_replace(substring(letters, 2), '[HW]', '', 'g'),
            'BFPVCGJKQSXZDTLMNRAEIOUYHW', '11112222222233455600000000'),
        '1+', '1', 'g'), '2+', '2', 'g'), '3+', '3', 'g'), '4+', '4', 'g'), '5+', '5', 'g'), '6+', '6', 'g')
    """,
    f"CREATE OR REPLACE MACRO rs_soundex(x) AS {_once(_SOUNDEX)}",
    """
    CREATE OR REPLACE MACRO rs_difference(a, b) AS
        CASE WHEN a = '' AND b = '' THEN 1 WHEN a = '' OR b = '' THEN 0
             ELSE len(list_filter(range(1, 5), lambda i: substring(a, CAST(i AS INTEGER), 1)
                = substring(b, CAST(i AS INTEGER), 1)))
                + CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE 0 END END
    """,
    # QUOTE_IDENT quotes if it must; QUOTE_LITERAL doubles quotes and backslashes
    """
    CREATE OR REPLACE MACRO rs_quote_ident(x) AS
        CASE WHEN regexp_full_match(x, '[a-z_][a-z0-9_$]*') THEN x
             ELSE '"' || replace(x, '"', '""') || '"' END
    """,
    """
    CREATE OR REPLACE MACRO rs_quote_literal(x) AS
        chr(39) || replace(replace(x, chr(92), repeat(chr(92), 2)), chr(39), repeat(chr(39), 2)) || chr(39)
    """,
    # SUBSTRING: places before the first character count
    """
    CREATE OR REPLACE MACRO rs_substring(x, start, n) AS
        CASE WHEN n < 0 THEN error('rs|22011|negative substring length not allowed|')
             ELSE substring(x, greatest(start, 1), greatest(n + least(start, 1) - 1, 0)) END
    """,
    "CREATE OR REPLACE MACRO rs_substring_from(x, start) AS substring(x, greatest(start, 1))",
    # regular expressions from a position on, the n-th match
    """
    CREATE OR REPLACE MACRO rs_regexp_substr(x, p, start, n, grp, options) AS
        CASE WHEN n < 1 OR n > length(x) THEN NULL
             ELSE coalesce(list_extract(regexp_extract_all(
                rs_substring_from(x, start), p, grp, options), n), CASE WHEN x IS NOT NULL THEN '' END) END
    """,
    """
    CREATE OR REPLACE MACRO rs_regexp_replace(x, p, replacement, start, options) AS
        left(x, greatest(start, 1) - 1)
        || regexp_replace(rs_substring_from(x, start), p, replacement, options)
    """,
    # where the n-th match starts, or the character after it (after = 1); 0 if there is none
    """
    CREATE OR REPLACE MACRO rs_regexp_instr(x, p, start, n, after, options) AS
        CASE WHEN x IS NULL THEN NULL
             WHEN n < 1 OR len(regexp_extract_all(rs_substring_from(x, start), p, 0, options)) < n THEN 0
             ELSE greatest(start, 1) + length(regexp_extract(rs_substring_from(x, start),
                    '(?s)^((?:.*?(?:' || p || ')){' || (n - 1) || '}.*?)(?:' || p || ')',
                    CASE WHEN after = 1 THEN 0 ELSE 1 END, options)) END
    """,
    # STRTOL: blanks and a sign first, 0x of base 16; nothing at all is 0
    """
    CREATE OR REPLACE MACRO rs_digits(x, base) AS
        CASE WHEN base = 16 THEN regexp_replace(lower(ltrim(x)), '^([+-]?)(0x)?', '')
             ELSE regexp_replace(lower(ltrim(x)), '^[+-]', '') END
    """,
    """
    CREATE OR REPLACE MACRO rs_values(digits) AS list_transform(string_split(digits, ''),
        lambda c: strpos('0123456789abcdefghijklmnopqrstuvwxyz', c) - 1)
    """,
    """
    CREATE OR REPLACE MACRO rs_strtol(x, base) AS
        CASE WHEN x IS NULL THEN NULL
             WHEN rs_digits(x, base) = '' THEN 0
             WHEN list_min(rs_values(rs_digits(x, base))) < 0 OR list_max(rs_values(rs_digits(x, base))) >= base
             THEN CAST(error('rs|22023|The input ' || x || ' is not valid to be converted to base ' || base || '|')
                AS BIGINT)
             ELSE CAST(CASE WHEN ltrim(x) LIKE '-%' THEN -1 ELSE 1 END * list_reduce(list_transform(
                rs_values(rs_digits(x, base)), lambda d: CAST(d AS HUGEINT)),
                lambda a, b: a * base + b) AS BIGINT) END
    """,
    """
    CREATE OR REPLACE MACRO rs_split_part(x, delimiter, n) AS
        CASE WHEN n < 1 THEN error('rs|22023|field position must be greater than zero|')
             WHEN delimiter = '' THEN CASE WHEN n = 1 THEN x ELSE '' END
             ELSE split_part(x, delimiter, n) END
    """,
    # DATEADD: a time stays a time; a day that the month does not have becomes its last
    "CREATE OR REPLACE MACRO rs_plus(x TIME, i) AS x + i, (x, i) AS rs_timestamp(x) + i",
    """
    CREATE OR REPLACE MACRO rs_add_years(x, n) AS
        CASE WHEN month(CAST(x AS TIMESTAMP)) = 2 AND day(CAST(x AS TIMESTAMP)) = 29
                  AND day(CAST(x AS TIMESTAMP) + to_years(n)) = 28
             THEN CAST(x AS TIMESTAMP) + to_years(n) + to_days(1)
             ELSE CAST(x AS TIMESTAMP) + to_years(n) END
    """,
    "CREATE OR REPLACE MACRO rs_moment(x TIME) AS DATE '1970-01-01' + x, (x) AS rs_timestamp(x)",
    """
    CREATE OR REPLACE MACRO rs_months_between(a, b) AS
        CASE WHEN day(a) = day(b) OR (CAST(a AS DATE) = last_day(CAST(a AS DATE))
                  AND CAST(b AS DATE) = last_day(CAST(b AS DATE)))
             THEN CAST((year(a) - year(b)) * 12 + month(a) - month(b) AS DOUBLE)
             ELSE (year(a) - year(b)) * 12 + month(a) - month(b)
                  + (epoch(a) - epoch(date_trunc('month', a))
                     - epoch(b) + epoch(date_trunc('month', b))) / 86400.0 / 31.0 END
    """,
    """
    CREATE OR REPLACE MACRO rs_next_day(x, weekday) AS
        CAST(x AS DATE) + CAST((weekday - dayofweek(CAST(x AS DATE)) + 6) % 7 + 1 AS INTEGER)
    """,
    """
    CREATE OR REPLACE MACRO rs_compare(a, b) AS
        CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN a < b THEN -1 WHEN a > b THEN 1 ELSE 0 END
    """,
    f"""
    CREATE OR REPLACE MACRO rs_roman(n) AS
        CASE WHEN n NOT BETWEEN 1 AND 3999 THEN repeat('#', 15)
             ELSE {" || ".join(_ROMAN)} END
    """,
    # TO_CHAR and TO_NUMBER of numbers; sign S, MI, PR or none, at the start or the end
    """
    CREATE OR REPLACE MACRO rs_signed(n, digits, width, sign, place, fm, symbol) AS
        CASE WHEN symbol = 'L' THEN '$' ELSE '' END
        || CASE WHEN fm = 'FM' THEN '' ELSE repeat(' ', width - length(digits)) END
        || CASE WHEN sign = '' OR (sign = 'S' AND place = 'start')
                THEN CASE WHEN n < 0 THEN '-' WHEN sign = 'S' THEN '+' WHEN fm = 'FM' THEN '' ELSE ' ' END
                WHEN sign IN ('MI', 'SG') AND place = 'start'
                THEN CASE WHEN n < 0 THEN '-' WHEN sign = 'SG' THEN '+' ELSE ' ' END
                WHEN sign = 'PR' THEN CASE WHEN n < 0 THEN '<' ELSE ' ' END ELSE '' END
        || digits
        || CASE WHEN sign = 'PR' THEN CASE WHEN n < 0 THEN '>' ELSE ' ' END
                WHEN place = 'end' AND n < 0 THEN '-'
                WHEN place = 'end' AND sign IN ('S', 'SG') THEN '+'
                WHEN place = 'end' AND fm <> 'FM' THEN ' ' ELSE '' END
    """,
    """
    CREATE OR REPLACE MACRO rs_number(x) AS
        CASE WHEN x LIKE '%-' THEN '-' ELSE '' END || regexp_replace(x, '[,$+ ]|-$', '', 'g')
    """,
    """
    CREATE OR REPLACE MACRO rs_number_text(n, digits, width, zeros, sign, place, fm, symbol) AS
        CASE WHEN n IS NULL THEN NULL
             WHEN length(digits) > width THEN repeat('#', width)
             ELSE rs_signed(n, CASE WHEN length(digits) < zeros THEN lpad(digits, zeros, '0') ELSE digits END,
                            width, sign, place, fm, symbol) END
    """,
)
