"""Redshift's functions and casts as DuckDB macros, where an expression alone does not say it.

A macro may have an overload for VARCHAR: DuckDB then picks it by the argument's type, which we do
not know when we translate. ``error('rs|code|message|context')`` is read back by
``engine.duckdb_errors``.
"""

from __future__ import annotations


def _integer_cast(name: str, duckdb_type: str, spoken: str) -> str:
    """``CAST(text AS INT)``: digits with a sign, blanks around; else error 1207 with the value.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CAST_function.html
    """
    return f"""
    CREATE OR REPLACE MACRO {name}(x VARCHAR) AS
        CASE WHEN x IS NULL THEN NULL
             WHEN regexp_full_match(x, '\\s*[+-]?[0-9]+\\s*') THEN CAST(x AS {duckdb_type})
             ELSE CAST(error('rs|1207|{spoken}|' || x) AS {duckdb_type}) END,
        (x) AS CAST(x AS {duckdb_type})
    """


MACROS: tuple[str, ...] = (
    _integer_cast("rs_int2", "SMALLINT", "Short"),
    _integer_cast("rs_int4", "INTEGER", "Integer"),
    _integer_cast("rs_int8", "BIGINT", "Long"),
    # CAST(x AS DOUBLE PRECISION), error 1207 for text that is no number
    r"""
    CREATE OR REPLACE MACRO rs_float8(x VARCHAR) AS
        CASE WHEN x IS NULL THEN NULL
             WHEN TRY_CAST(x AS DOUBLE) IS NOT NULL THEN TRY_CAST(x AS DOUBLE)
             ELSE CAST(error('rs|1207|Float8|' || x) AS DOUBLE) END,
        (x) AS CAST(x AS DOUBLE)
    """,
    r"""
    CREATE OR REPLACE MACRO rs_float4(x VARCHAR) AS
        CASE WHEN x IS NULL THEN NULL
             WHEN TRY_CAST(x AS FLOAT) IS NOT NULL THEN TRY_CAST(x AS FLOAT)
             ELSE CAST(error('rs|1207|Float4|' || x) AS FLOAT) END,
        (x) AS CAST(x AS FLOAT)
    """,
    # any value as text: floats without a needless ".0"
    """
    CREATE OR REPLACE MACRO rs_text(x) AS
        CASE WHEN typeof(x) IN ('DOUBLE', 'FLOAT')
             THEN CASE WHEN TRY_CAST(x AS DOUBLE) = trunc(TRY_CAST(x AS DOUBLE))
                            AND abs(TRY_CAST(x AS DOUBLE)) < 1e15
                       THEN CAST(CAST(TRY_CAST(x AS DOUBLE) AS BIGINT) AS VARCHAR)
                       ELSE CAST(x AS VARCHAR) END
             ELSE CAST(x AS VARCHAR) END
    """,
    # the first n bytes of a text, never half a character
    """
    CREATE OR REPLACE MACRO rs_left_bytes(x, n) AS
        CASE WHEN strlen(x) <= n THEN x
             WHEN strlen(x) = length(x) THEN left(x, n)
             ELSE (SELECT max(left(x, k.i)) FROM (SELECT unnest(range(0, n + 1)) AS i) AS k
                   WHERE strlen(left(x, k.i)) <= n) END
    """,
    # storing into VARCHAR(n), CHAR(n): blanks beyond the length are dropped, more is an error
    """
    CREATE OR REPLACE MACRO rs_store_varchar(x, n) AS
        CASE WHEN strlen(x) <= n THEN x
             WHEN strlen(rtrim(x, ' ')) <= n THEN rpad(rtrim(x, ' '), n, ' ')
             ELSE error('rs|22001|character varying(' || n || ')|' || x) END
    """,
    """
    CREATE OR REPLACE MACRO rs_store_bpchar(x, n) AS
        CASE WHEN strlen(rtrim(x, ' ')) <= n THEN rtrim(x, ' ')
             ELSE error('rs|22001|character(' || n || ')|' || x) END
    """,
    # SUM of integers is BIGINT, of BIGINT is NUMERIC(38,0)
    """
    CREATE OR REPLACE MACRO rs_summand(x SMALLINT) AS CAST(x AS BIGINT),
        (x INTEGER) AS CAST(x AS BIGINT),
        (x BIGINT) AS CAST(x AS DECIMAL(38, 0)),
        (x) AS x
    """,
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
