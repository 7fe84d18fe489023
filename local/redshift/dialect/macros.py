"""Redshift's functions and casts as DuckDB macros, where an expression alone does not say it.

A macro may have an overload for VARCHAR: DuckDB then picks it by the argument's type, which we do
not know when we translate. ``error('rs|code|message|context')`` is read back by
``engine.duckdb_errors``.
"""

from __future__ import annotations


def _once(body: str) -> str:
    """``body`` over ``v``, the macro's argument ``x`` evaluated once.

    A macro is expanded as text: each mention of its argument doubles what the argument is, and casts
    within casts within CASE grow beyond bounds. A lambda's parameter is a value.
    """
    return f"list_extract(list_transform([x], lambda v: {body}), 1)"


def _integer_cast(name: str, duckdb_type: str) -> str:
    """``CAST(text AS INT)``: digits with a sign, blanks around. Other text keeps the ``#`` that is put
    before it, on which the cast fails: ``engine.duckdb_errors`` knows it as error 1207.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CAST_function.html
    """
    digits = "regexp_replace('#' || x, '^#(\\s*[+-]?[0-9]+\\s*)$', '\\1')"
    return f"""
    CREATE OR REPLACE MACRO {name}(x VARCHAR) AS CAST({digits} AS {duckdb_type}),
        (x) AS CAST(x AS {duckdb_type})
    """


def _float_cast(name: str, duckdb_type: str, spoken: str) -> str:
    """``CAST(text AS DOUBLE PRECISION)``: error 1207 for text that is no number."""
    body = f"""
        CASE WHEN v IS NULL THEN NULL
             WHEN TRY_CAST(v AS {duckdb_type}) IS NOT NULL THEN TRY_CAST(v AS {duckdb_type})
             ELSE CAST(error('rs|1207|{spoken}|' || v) AS {duckdb_type}) END"""
    return f"""
    CREATE OR REPLACE MACRO {name}(x VARCHAR) AS {_once(body)},
        (x) AS CAST(x AS {duckdb_type})
    """


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

MACROS: tuple[str, ...] = (
    _integer_cast("rs_int2", "SMALLINT"),
    _integer_cast("rs_int4", "INTEGER"),
    _integer_cast("rs_int8", "BIGINT"),
    _float_cast("rs_float8", "DOUBLE", "Float8"),
    _float_cast("rs_float4", "FLOAT", "Float4"),
    # any value as text: floats without a needless ".0"
    f"CREATE OR REPLACE MACRO rs_text(x VARCHAR) AS CAST(x AS VARCHAR), (x) AS {_TEXT}",
    # the first n bytes of a text, never half a character; nothing but text has more than ASCII
    f"""
    CREATE OR REPLACE MACRO rs_left_bytes(x VARCHAR, n) AS {_once(_LEFT_BYTES)},
        (x, n) AS left(rs_text(x), n)
    """,
    # storing into VARCHAR(n), CHAR(n): blanks beyond the length are dropped, more is an error;
    # rs_keep_ of a column, which costs nothing to be named more than once
    f"CREATE OR REPLACE MACRO rs_store_varchar(x, n) AS {_once(_STORE_VARCHAR)}",
    f"CREATE OR REPLACE MACRO rs_store_bpchar(x, n) AS {_once(_STORE_BPCHAR)}",
    f"CREATE OR REPLACE MACRO rs_keep_varchar(v, n) AS {_STORE_VARCHAR}",
    f"CREATE OR REPLACE MACRO rs_keep_bpchar(v, n) AS {_STORE_BPCHAR}",
    # SUM of integers is BIGINT, of BIGINT is NUMERIC(38,0)
    """
    CREATE OR REPLACE MACRO rs_summand(x SMALLINT) AS CAST(x AS BIGINT),
        (x INTEGER) AS CAST(x AS BIGINT),
        (x BIGINT) AS CAST(x AS DECIMAL(38, 0)),
        (x) AS x
    """,
    # SIGN is of its argument's type
    "CREATE OR REPLACE MACRO rs_sign(x) AS cast_to_type(sign(x), x)",
    """
    CREATE OR REPLACE MACRO rs_avg_arg(x SMALLINT) AS CAST(x AS HUGEINT),
        (x INTEGER) AS CAST(x AS HUGEINT),
        (x BIGINT) AS CAST(x AS HUGEINT),
        (x) AS x
    """,
    """
    CREATE OR REPLACE MACRO rs_avg_type(x SMALLINT) AS CAST(NULL AS BIGINT),
        (x INTEGER) AS CAST(NULL AS BIGINT),
        (x BIGINT) AS CAST(NULL AS BIGINT),
        (x) AS x
    """,
    # TRUNC(timestamp) is its date, TRUNC(number) cuts the fraction off
    """
    CREATE OR REPLACE MACRO rs_trunc(x TIMESTAMP) AS CAST(x AS DATE),
        (x) AS trunc(x)
    """,
    # INITCAP: a letter after anything that is neither letter nor digit is a capital
    r"""
    CREATE OR REPLACE MACRO rs_initcap(x) AS
        array_to_string(list_transform(regexp_extract_all(x, '[\p{L}\p{N}]+|[^\p{L}\p{N}]+'),
            lambda w: upper(left(w, 1)) || lower(substring(w, 2))), '')
    """,
    "CREATE OR REPLACE MACRO rs_regexp_count(x, p) AS len(regexp_extract_all(x, p))",
    """
    CREATE OR REPLACE MACRO rs_instant(x VARCHAR) AS CAST(x AS TIMESTAMP),
        (x) AS x
    """,
    # MONTHS_BETWEEN, ADD_MONTHS: the last day of a month stays the last day
    """
    CREATE OR REPLACE MACRO rs_add_months(d, n) AS
        CASE WHEN CAST(d AS DATE) = last_day(CAST(d AS DATE))
             THEN CAST(last_day(CAST(d AS DATE) + to_months(CAST(n AS INTEGER))) AS TIMESTAMP)
                  + (CAST(d AS TIMESTAMP) - CAST(CAST(d AS DATE) AS TIMESTAMP))
             ELSE CAST(d AS TIMESTAMP) + to_months(CAST(n AS INTEGER)) END
    """,
)
