"""Queries as tables of cases: SQL, what Redshift answers, the page that says so.

``dg/`` is https://docs.aws.amazon.com/redshift/latest/dg/. Dates come as the Data API gives them.
"""

from __future__ import annotations

from typing import Any

import pytest
from warehouse import Warehouse

Case = tuple[str, Any]

SCALARS: dict[str, list[Case]] = {
    "r_OPERATOR_SYMBOLS.html: division of integers cuts off": [
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7 % 2", 1),
        ("7.0::float / 2", 3.5),
        ("2 ^ 3", 8.0),
        ("'a' || 'b' || 1", "ab1"),
        ("'n: ' || 1.0::float", "n: 1"),
        ("NULL || 'a'", None),
    ],
    "r_CAST_function.html": [
        ("CAST('12' AS INT)", 12),
        ("' 12 '::int", 12),
        ("'12'::bigint", 12),
        ("CAST(3.6 AS INT)", 4),
        ("'abcdef'::varchar(3)", "abc"),
        ("'é€'::varchar(3)", "é"),
        ("123::varchar(10)", "123"),
        ("CONVERT(integer, '5')", 5),
        ("'1.5'::float", 1.5),
        ("'1.256'::decimal(5,2)", "1.26"),
        ("'7'::numeric", "7"),
        ("'2018-11-01'::date", "2018-11-01"),
        ("'2018-11-01 21:01:46.796'::timestamp", "2018-11-01 21:01:46.796"),
        ("'true'::boolean", True),
        ("TRY_CAST('x' AS INT)", None),
    ],
    "r_CASE_function.html, r_COALESCE.html, r_NULLIF_function.html, r_NVL2.html, r_DECODE...html": [
        ("CASE WHEN 1 = 1 THEN 'a' ELSE 'b' END", "a"),
        ("CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "b"),
        ("COALESCE(NULL, 2)", 2),
        ("NVL(NULL, 'x')", "x"),
        ("NVL2(NULL, 1, 2)", 2),
        ("NULLIF('', '')", None),
        ("DECODE(2, 1, 'a', 2, 'b', 'c')", "b"),
        ("DECODE(NULL, NULL, 'null', 'c')", "null"),
        ("DECODE(5, 1, 'a')", None),
        ("GREATEST(1, NULL, 3)", 3),
        ("LEAST(2, NULL)", 2),
    ],
    "String_functions_header.html": [
        ("LEN('français')", 8),
        ("LENGTH('abc')", 3),
        ("OCTET_LENGTH('français')", 9),
        ("UPPER('a') || LOWER('B')", "Ab"),
        ("BTRIM('  a ')", "a"),
        ("TRIM('  a ')", "a"),
        ("BTRIM('xxaxx', 'x')", "a"),
        ("TRIM(BOTH 'x' FROM 'xax')", "a"),
        ("LTRIM('  a')", "a"),
        ("SUBSTRING('caterpillar', 6, 4)", "pill"),
        ("SUBSTR('abc', 2)", "bc"),
        ("LEFT('abc', 2)", "ab"),
        ("RIGHT('abc', 2)", "bc"),
        ("REPLACE('abab', 'b', 'c')", "acac"),
        ("STRPOS('dogfish', 'fish')", 4),
        ("CHARINDEX('fish', 'dogfish')", 4),
        ("POSITION('fish' IN 'dogfish')", 4),
        ("SPLIT_PART('a,b,c', ',', 2)", "b"),
        ("SPLIT_PART('a,b,c', ',', 5)", ""),
        ("REGEXP_REPLACE('a1b22', '[0-9]+', '')", "ab"),
        ("REGEXP_SUBSTR('abc123', '[0-9]+')", "123"),
        ("REGEXP_COUNT('abcabc', 'b')", 2),
        ("LPAD('7', 3, '0')", "007"),
        ("RPAD('abc', 5)", "abc  "),
        ("REVERSE('abc')", "cba"),
        ("REPEAT('ab', 2)", "abab"),
        ("CONCAT('a', 'b')", "ab"),
        ("CONCAT('a', NULL)", None),
        ("INITCAP('hello wORLD')", "Hello World"),
        ("TRANSLATE('abc', 'ab', 'x')", "xc"),
        ("MD5('Amazon Redshift')", "f7415e33f972c03abd4f3fed36748f7a"),
        ("SHA1('Amazon Redshift')", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("ASCII('a')", 97),
        ("CHR(97)", "a"),
        ("JSON_EXTRACT_PATH_TEXT('{\"a\":{\"b\":\"c\"}}', 'a', 'b')", "c"),
        ("IS_VALID_JSON('{\"a\":1}')", True),
    ],
    "pattern-matching-conditions.html": [
        ("'abc' LIKE 'a%'", True),
        ("'aBc' ILIKE 'AB_'", True),
        ("'abc' ~ 'b+'", True),
        ("'abc' !~ 'b+'", False),
        ("'abc' SIMILAR TO 'a%(b|c)'", True),
        ("'abc' NOT LIKE 'b%'", True),
    ],
    "Date_functions_header.html": [
        ("DATEADD(day, 30, '2008-02-01'::date)", "2008-03-02 00:00:00"),
        ("DATEADD(month, 1, '2008-01-31'::date)", "2008-02-29 00:00:00"),
        ("DATEADD(ms, 1500, '2018-11-01 00:00:00'::timestamp)", "2018-11-01 00:00:01.5"),
        ("DATEDIFF(week, '2009-01-01', '2009-12-31')", 52),
        ("DATEDIFF(day, '2018-11-01 23:00:00'::timestamp, '2018-11-02 01:00:00'::timestamp)", 1),
        ("DATEDIFF(qtr, '1998-07-01'::date, '2008-01-01'::date)", 38),
        ("DATE_PART(dow, '2018-11-04'::date)", 0.0),
        ("DATE_PART('hour', '2018-11-04 13:14:15'::timestamp)", 13.0),
        ("EXTRACT(week FROM '2018-11-04'::date)", 44),
        ("EXTRACT(hour FROM '2018-11-04 13:14:15'::timestamp)", 13),
        ("EXTRACT(epoch FROM '2018-11-01 21:01:46'::timestamp)", 1541106106),
        ("EXTRACT(year FROM '2018-11-04'::date)", 2018),
        ("DATE_TRUNC('week', '2018-11-04 10:00:00'::timestamp)", "2018-10-29 00:00:00"),
        ("DATE_TRUNC('day', '2018-11-04'::date)", "2018-11-04 00:00:00"),
        ("TRUNC('2011-07-21 10:32:38'::timestamp)", "2011-07-21"),
        ("TRUNC(12.7)", "12"),
        ("LAST_DAY('2018-11-04'::date)", "2018-11-30"),
        ("ADD_MONTHS('2008-02-29'::date, 1)", "2008-03-31 00:00:00"),
        ("TIMESTAMP 'epoch' + 1541105830796 / 1000 * INTERVAL '1 second'", "2018-11-01 20:57:10"),
        ("'2018-11-01'::date + 1", "2018-11-02"),
        ("'2018-11-02'::date - '2018-11-01'::date", 1),
        ("TO_CHAR('2018-11-04 13:14:15.5'::timestamp, 'YYYY-MM-DD HH24:MI:SS')",
         "2018-11-04 13:14:15"),
        ("TO_CHAR('2018-11-04'::date, 'FMMonth DD, YYYY')", "November 04, 2018"),
        ("TO_CHAR('2018-11-04'::date, 'MON-Q-D')", "NOV-4-1"),
        ("TO_DATE('02 Oct 2001', 'DD Mon YYYY')", "2001-10-02"),
        ("CONVERT_TIMEZONE('EST', 'PST8PDT', '2008-03-05 09:25:29'::timestamp)",
         "2008-03-05 06:25:29"),
    ],
    "Math_functions.html": [
        ("ROUND(28.05::decimal(8,2), 1)", "28.1"),
        ("FLOOR(2.7::float)", 2.0),
        ("CEILING(2.1::float)", 3.0),
        ("ABS(-3)", 3),
        ("MOD(-7, 3)", -1),
        ("SQRT(16::float)", 4.0),
        ("SIGN(-2::float)", -1.0),
        ("LN(1)", 0.0),
        ("LOG(100)", 2.0),
    ],
    "r_System_information_functions.html": [
        ("CURRENT_DATABASE()", "dev"),
        ("CURRENT_USER", "IAM:AKIATEST"),
        ("CURRENT_SCHEMA()", "public"),
        ("PG_LAST_COPY_ID()", -1),
        ("HAS_SCHEMA_PRIVILEGE('t', 'usage')", True),
    ],
}  # fmt: skip

_SCALAR_CASES = [
    pytest.param(sql, expected, id=f"{page.split(':')[0].split(',')[0]}-{sql}")
    for page, cases in SCALARS.items()
    for sql, expected in cases
]


@pytest.fixture(scope="module")
def computed(module_server: Any) -> dict[str, Any]:
    """Every scalar's answer, or its error, asked once: (value) by SQL."""
    warehouse = Warehouse(module_server.url)
    warehouse.run("CREATE SCHEMA IF NOT EXISTS t")
    cases = [sql for cases in SCALARS.values() for sql, _ in cases]
    answers: dict[str, Any] = {}
    for start in range(0, len(cases), 40):
        part = cases[start : start + 40]
        shown = warehouse.batch(*(f"SELECT {sql} AS x" for sql in part), mode="AUTO_COMMIT")
        for sql, sub in zip(part, shown["SubStatements"], strict=True):
            answers[sql] = (
                warehouse.result(sub).rows[0][0]
                if sub["Status"] == "FINISHED"
                else AssertionError(sub["Error"])
            )
    return answers


@pytest.mark.parametrize(("sql", "expected"), _SCALAR_CASES)
def test_scalar(computed: dict[str, Any], sql: str, expected: Any) -> None:
    if isinstance(computed[sql], AssertionError):
        raise computed[sql]
    if "SHA1" in sql:
        assert len(computed[sql]) == 40
        return
    assert computed[sql] == expected
    assert type(computed[sql]) is type(expected)


PLAYS = """
CREATE TABLE q.plays (usr INT, song VARCHAR(20), at TIMESTAMP, price DECIMAL(8,2), n BIGINT)
"""
PLAYS_ROWS = """
INSERT INTO q.plays VALUES
    (1, 'a', '2018-11-01 10:00:00', 1.50, 10), (1, 'b', '2018-11-02 10:00:00', 2.25, 20),
    (2, 'a', '2018-11-03 10:00:00', NULL, 31), (2, NULL, '2018-11-04 10:00:00', 0.75, NULL)
"""

QUERIES: list[tuple[str, list[list[Any]]]] = [
    # dg/r_SUM.html, r_AVG.html: types of the results
    ("SELECT SUM(usr), SUM(n), SUM(price), COUNT(*), COUNT(n) FROM plays",
     [[6, "61", "4.50", 4, 3]]),
    ("SELECT AVG(usr), AVG(n), AVG(price), AVG(usr::float) FROM plays", [[1, 20, "1.50", 1.5]]),
    ("SELECT AVG(DISTINCT usr) FROM plays", [[1]]),
    ("SELECT AVG(n) FROM plays WHERE usr = 9", [[None]]),
    ("SELECT usr, AVG(n) OVER (PARTITION BY usr) FROM plays ORDER BY at",
     [[1, 15], [1, 15], [2, 31], [2, 31]]),
    ("SELECT SUM(usr) OVER (ORDER BY at ROWS UNBOUNDED PRECEDING) FROM plays ORDER BY at",
     [[1], [2], [4], [6]]),
    # dg/r_LISTAGG.html
    ("SELECT LISTAGG(song, ',') WITHIN GROUP (ORDER BY at DESC) FROM plays", [["a,b,a"]]),
    ("SELECT LISTAGG(DISTINCT song, '+') WITHIN GROUP (ORDER BY song) FROM plays", [["a+b"]]),
    ("SELECT LISTAGG(usr) FROM plays WHERE usr = 2", [["22"]]),
    # dg/r_QUALIFY_clause.html
    (("SELECT usr, song FROM plays p QUALIFY ROW_NUMBER() OVER (PARTITION BY usr ORDER BY at) = 1 "
     "ORDER BY usr"), [[1, "a"], [2, "a"]]),
    # dg/r_WF_LAST_VALUE.html
    (("SELECT LAST_VALUE(song IGNORE NULLS) OVER (PARTITION BY usr ORDER BY at ROWS BETWEEN "
     "UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM plays ORDER BY at"),
     [["b"], ["b"], ["a"], ["a"]]),
    (("SELECT LAG(n) OVER (ORDER BY at), LEAD(n, 1) OVER (ORDER BY at) FROM plays ORDER BY at "
     "LIMIT 2"), [[None, 20], [10, 31]]),
    # dg/r_ORDER_BY_clause.html: NULLs are the largest
    ("SELECT song FROM plays ORDER BY song", [["a"], ["a"], ["b"], [None]]),
    ("SELECT song FROM plays ORDER BY song DESC", [[None], ["b"], ["a"], ["a"]]),
    # dg/r_WITH_clause.html, r_UNION.html
    ("WITH p AS (SELECT usr FROM plays), q AS (SELECT usr FROM p) SELECT COUNT(*) FROM q", [[4]]),
    ("WITH plays AS (SELECT 9 AS usr) SELECT usr FROM plays", [[9]]),
    (("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) "
     "SELECT COUNT(*) FROM r"), [[3]]),
    ("SELECT usr FROM plays MINUS SELECT 1", [[2]]),
    ("SELECT DISTINCT usr FROM plays INTERSECT SELECT 2", [[2]]),
    ("SELECT TOP 1 usr FROM plays ORDER BY usr DESC", [[2]]),
    ("SELECT usr FROM plays ORDER BY usr DESC, at LIMIT 1 OFFSET 1", [[2]]),
    # joins, subqueries, quoting, case
    ("SELECT P.USR FROM Plays AS P JOIN plays q ON p.at = q.at AND q.song = 'b'", [[1]]),
    ('SELECT "Plays"."USR" FROM plays WHERE song = \'b\'', [[1]]),
    ("SELECT q.plays.usr FROM q.plays WHERE n = 31", [[2]]),
    ("SELECT (SELECT MAX(n) FROM plays) - MAX(usr) FROM plays", [[29]]),
    ("SELECT COUNT(*) FROM plays WHERE (usr, song) IN (SELECT 1, 'a')", [[1]]),
    (("SELECT COUNT(*) FROM plays p WHERE NOT EXISTS (SELECT 1 FROM plays q WHERE q.usr = p.usr "
     "AND q.at > p.at)"), [[2]]),
    ("SELECT usr AS u, u + 1 AS v FROM plays WHERE n = 10", [[1, 2]]),
    ("SELECT COUNT(*) FROM plays WHERE at BETWEEN '2018-11-01' AND '2018-11-02 10:00:00'", [[2]]),
    ("SELECT 'it''s', 'a\\\\b'", [["it's", "a\\b"]]),
    ("SELECT usr, COUNT(*) FROM plays GROUP BY 1 HAVING COUNT(*) > 1 ORDER BY 1",
     [[1, 2], [2, 2]]),
    ("SELECT MEDIAN(n), COUNT(DISTINCT song), MIN(song), BOOL_OR(n > 30) FROM plays",
     [[20.0, 2, "a", True]]),
    ("SELECT usr FROM (SELECT usr, RANK() OVER (ORDER BY n) AS r FROM plays) x WHERE r = 1", [[1]]),
    # dg/r_DATE_PART_function.html on columns
    (("SELECT EXTRACT(dow FROM at), DATE_PART(week, at), TO_CHAR(at, 'Dy') FROM plays "
     "ORDER BY at LIMIT 1"), [[4, 44.0, "Thu"]]),
    # dg/r_MINUS... timestamps
    ("SELECT COUNT(*) FROM plays WHERE at >= DATEADD(day, -1, '2018-11-04'::timestamp)", [[2]]),
]  # fmt: skip


@pytest.fixture(scope="module")
def plays(module_server: Any) -> Warehouse:
    warehouse = Warehouse(module_server.url)
    warehouse.batch("DROP SCHEMA IF EXISTS q CASCADE", "CREATE SCHEMA q", PLAYS, PLAYS_ROWS)
    return warehouse


@pytest.mark.parametrize(("sql", "expected"), QUERIES, ids=[sql for sql, _ in QUERIES])
def test_query(plays: Warehouse, sql: str, expected: list[list[Any]]) -> None:
    shown = plays.batch("SET search_path TO q, public", sql)
    assert "Error" not in shown, shown["Error"]
    assert plays.result(shown["SubStatements"][1]).rows == expected


COLUMN_NAMES = [
    ("SELECT 1", ["?column?"]),
    ("SELECT count(*), sum(usr) FROM q.plays", ["count", "sum"]),
    ("SELECT usr, usr::varchar, usr + 1 FROM q.plays", ["usr", "usr", "?column?"]),
    ("SELECT 1::bigint, CASE WHEN true THEN 1 END", ["int8", "case"]),
    ('SELECT usr AS "User" FROM q.plays', ["user"]),
]


@pytest.mark.parametrize(("sql", "names"), COLUMN_NAMES)
def test_names_of_result_columns(plays: Warehouse, sql: str, names: list[str]) -> None:
    assert plays.run(sql).names == names


COLUMN_TYPES = [
    ("1::smallint", "int2"),
    ("1", "int4"),
    ("1::bigint", "int8"),
    ("1::real", "float4"),
    ("1::float", "float8"),
    ("1.5", "numeric"),
    ("'a'", "varchar"),
    ("true", "bool"),
    ("'2018-11-01'::date", "date"),
    ("'2018-11-01'::timestamp", "timestamp"),
    ("'2018-11-01'::timestamptz", "timestamptz"),
]


def test_types_of_result_columns(warehouse: Warehouse) -> None:
    """https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ColumnMetadata.html"""
    select = ", ".join(sql for sql, _ in COLUMN_TYPES)
    assert warehouse.run(f"SELECT {select}").types == [name for _, name in COLUMN_TYPES]


ERRORS: list[tuple[str, str]] = [
    ("SELECT * FROM q.nothing", 'ERROR: relation "q.nothing" does not exist'),
    ("SELECT * FROM nothing", 'ERROR: relation "nothing" does not exist'),
    ("SELECT * FROM nowhere.nothing", 'ERROR: schema "nowhere" does not exist'),
    ("SELECT nothing FROM q.plays", 'ERROR: column "nothing" does not exist'),
    ("SELECT p.usr FROM q.plays", 'ERROR: missing FROM-clause entry for table "p"'),
    ("SELECT usr FROM q.plays p, q.plays q", 'ERROR: column reference "usr" is ambiguous'),
    ("SELECT usr, count(*) FROM q.plays", "must appear in the GROUP BY clause"),
    ("SELECT nofunction(1)", "ERROR: function nofunction(unknown) does not exist"),
    ("SELECT rs_int4('1')", "ERROR: function rs_int4(unknown) does not exist"),
    ("SELECT read_csv('x')", "ERROR: function read_csv(unknown) does not exist"),
    ("SELECT * FROM read_csv('x')", "ERROR: function read_csv"),
    ("SELECT * FROM 'x.csv'", "ERROR: relation"),
    ("SELEC 1", 'ERROR: syntax error at or near "SELEC"'),
    ("SELECT 1 FROM", "ERROR: syntax error"),
    ("SELECT 1; SELECT 2", "ERROR: cannot insert multiple commands into a prepared statement"),
    ("SELECT 1 / 0", "ERROR: division by zero"),
    ("SELECT 2147483647 + 1", "ERROR: Value out of range for 4 bytes."),
    ("SELECT CAST('2018-13-01' AS DATE)", "ERROR: date/time field value out of range"),
    ("SELECT (SELECT usr FROM q.plays)", "ERROR: single-row subquery returns more than one row"),
    ("SELECT * FROM stl_load_errors", "ERROR: permission denied for relation stl_load_errors"),
    ("SELECT * FROM svl_qlog", "ERROR: permission denied for relation svl_qlog"),
    ("SELECT * FROM sys_nothing", "ERROR: system view sys_nothing is not supported"),
    ("INSERT INTO q.plays VALUES (1) ON CONFLICT DO NOTHING", 'syntax error at or near "ON"'),
    ("INSERT INTO q.plays VALUES (1) RETURNING usr", 'syntax error at or near "RETURNING"'),
    ("SELECT DISTINCT ON (usr) usr FROM q.plays", "ERROR: SELECT DISTINCT ON is not supported"),
    ("SELECT ARRAY[1, 2]", "ERROR: ARRAY constructor is not supported"),
    ("CREATE INDEX i ON q.plays (usr)", '(usr)" not supported on Redshift tables.'),
    ("CREATE TABLE q.x (a SERIAL)", 'ERROR: Column "a" has unsupported type "serial"'),
    ("CREATE TABLE q.x (a INT[])", 'ERROR: Column "a" has unsupported type "integer[]"'),
    ("CREATE TABLE q.x (a INT CHECK (a > 1))", "ERROR: CHECK constraints are not supported"),
]


@pytest.mark.parametrize(("sql", "error"), ERRORS, ids=[sql for sql, _ in ERRORS])
def test_error(plays: Warehouse, sql: str, error: str) -> None:
    """dg/c_unsupported-postgresql-features.html and what we refuse by its name."""
    assert error in plays.error(sql)


def test_a_guard_names_its_check(plays: Warehouse) -> None:
    """The error names the value of a cast that fails: this is how a publish stops itself."""
    error = plays.error(
        "SELECT CAST(CASE WHEN figure = 5 THEN '0' ELSE 'check plays: ' || figure END AS INT) "
        "FROM (SELECT count(*) AS figure FROM q.plays) f"
    )
    assert error.startswith("ERROR: Invalid digit, Value 'c', Pos 0, Type: Integer\n")
    assert "\n  code:      1207\n  context:   check plays: 4\n" in error


def test_case_evaluates_branches_that_are_not_taken(plays: Warehouse) -> None:
    """Seen on real clusters (exmergo/dex#307): a cast inside a CASE does not protect."""
    error = plays.error("SELECT CASE WHEN n > 0 THEN 0 ELSE CAST(song AS INT) END FROM q.plays")
    assert error.startswith("ERROR: Invalid digit, Value 'a', Pos 0, Type: Integer")


def test_delete_using_a_derived_table(warehouse: Warehouse) -> None:
    """An unqualified name inside it is resolved there, not in the DELETE around it."""
    warehouse.batch("CREATE TABLE t.a (k INT)", "CREATE TABLE t.b (k INT, v INT)")
    warehouse.batch("INSERT INTO t.a VALUES (1), (2)", "INSERT INTO t.b VALUES (1, 7), (2, 8)")
    deleted = warehouse.run(
        "DELETE FROM t.a USING (SELECT k FROM t.b WHERE v = 7) AS d WHERE d.k = t.a.k"
    )
    assert deleted.affected == 1
    assert warehouse.rows("SELECT k FROM t.a") == [[2]]
