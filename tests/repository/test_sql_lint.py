"""tools/sql_lint.py: what Redshift refuses, and forms that nobody is known to run there, do not get into the SQL."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from loader import sql
from loader.datasets import datasets

from tools import evidence, sql_lint
from tools.sql_forms import LEADER_ONLY, Tables, read

MADE = (
    "CREATE TABLE s.t (a INTEGER, b INTEGER)",
    "CREATE TABLE s.u (c INTEGER, d INTEGER)",
    "CREATE TABLE s.v (LIKE s.u INCLUDING DEFAULTS)",
    "CREATE TEMPORARY TABLE w DISTKEY (a) AS SELECT t.*, 1 AS n FROM s.t",
    "ALTER TABLE s.t ADD COLUMN z VARCHAR(8)",
)
ROOT = Path(__file__).resolve().parents[2]
SYSTEM = {"sys_load_detail": ["query_id", "file_name"]}
FILES = sorted(str(path.relative_to(sql.ROOT)) for path in sql.ROOT.rglob("*.sql"))


def tables() -> Tables:
    known = Tables(SYSTEM)
    for text in MADE:
        known.note(text)
    return known


def kinds(text: str) -> set[str]:
    return {problem.kind for problem in read(text, tables()).problems}


def forms(text: str) -> set[str]:
    return read(text, tables()).forms


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM s.t WHERE EXISTS (SELECT 1 FROM s.u WHERE u.c = t.a)",
        "SELECT a FROM s.t WHERE NOT EXISTS (SELECT 1 FROM s.u WHERE u.c = t.a)",
        "SELECT a FROM s.t AS x WHERE EXISTS (SELECT 1 FROM s.t WHERE t.a = x.b)",
        "SELECT a FROM s.t WHERE EXISTS (SELECT 1 FROM s.u WHERE c = a)",
        "SELECT a FROM s.t WHERE a IN (SELECT c FROM s.u WHERE d = t.b)",
        "SELECT a FROM s.t WHERE a NOT IN (SELECT c FROM s.u WHERE d = b)",
        "SELECT a FROM s.t WHERE a = (SELECT MAX(c) FROM s.u WHERE d = b)",
        "SELECT (SELECT MAX(c) FROM s.u WHERE d = b) AS x FROM s.t",
        "SELECT x.c FROM s.t CROSS JOIN (SELECT c FROM s.u WHERE d = t.a) AS x",
        "SELECT a FROM s.t LEFT JOIN s.u ON a = c AND d = (SELECT MAX(v.c) FROM s.v WHERE v.d = t.b)",
        # the reference skips a block
        "SELECT a FROM s.t WHERE a IN (SELECT c FROM s.u WHERE d IN (SELECT v.c FROM s.v WHERE v.d = t.b))",
        "SELECT a FROM s.t WHERE a IN (SELECT c FROM s.u UNION ALL SELECT v.c FROM s.v WHERE v.d = t.b)",
        "SELECT a FROM s.t WHERE a IN (SELECT q.c FROM (SELECT c FROM s.u WHERE d = t.b) AS q)",
        "SELECT COUNT(*) FROM s.t GROUP BY a HAVING a > (SELECT MAX(c) FROM s.u WHERE d = a)",
        "DELETE FROM s.t WHERE EXISTS (SELECT 1 FROM s.u WHERE u.c = t.a)",
        "DELETE FROM s.t WHERE EXISTS (SELECT 1 FROM s.u WHERE c = a)",
        "DELETE FROM s.t USING w WHERE t.a = w.a AND t.b IN (SELECT c FROM s.u WHERE u.d = w.n)",
        "DELETE FROM s.t USING (SELECT c FROM s.u WHERE u.d = t.b) AS x WHERE t.a = x.c",
        "UPDATE s.t SET b = 1 WHERE EXISTS (SELECT 1 FROM s.u WHERE u.c = t.a)",
        "UPDATE s.t SET b = (SELECT MAX(d) FROM s.u WHERE c = a)",
        "UPDATE s.t SET b = m.d FROM (SELECT c, d FROM s.u WHERE u.c = t.a) AS m WHERE m.c = t.a",
        "INSERT INTO s.t (a) SELECT c FROM s.u WHERE NOT EXISTS (SELECT 1 FROM s.t WHERE a = c)",
        "CREATE TEMPORARY TABLE q AS SELECT a FROM s.t WHERE b NOT IN (SELECT d FROM s.u WHERE c = a)",
        "CREATE VIEW s.q AS SELECT a FROM s.t WHERE EXISTS (SELECT 1 FROM s.u WHERE c = t.a)",
        "EXPLAIN SELECT a FROM s.t WHERE EXISTS (SELECT 1 FROM s.u WHERE c = t.a)",
        "WITH q AS (SELECT a FROM s.t) SELECT c FROM s.u WHERE EXISTS (SELECT 1 FROM q WHERE a = c)",
        # an alias of the inner query hides no column of the outer one
        "DELETE FROM s.t WHERE a IN (SELECT b AS b FROM s.u)",
        "DELETE FROM s.t WHERE a IN (SELECT c AS b FROM s.u WHERE b = 1)",
        "DELETE FROM s.t WHERE a IN (SELECT MAX(c) AS b FROM s.u GROUP BY d HAVING MAX(d) = b)",
        "DELETE FROM s.t WHERE a IN (SELECT c AS b FROM s.u GROUP BY b)",
        # each part of a query
        "DELETE FROM s.t WHERE a IN (SELECT c FROM s.u UNION ALL SELECT d FROM s.u ORDER BY t.b)",
        "DELETE FROM s.t WHERE a IN (SELECT c FROM s.u UNION ALL SELECT d FROM s.u ORDER BY b)",
        "DELETE FROM s.t WHERE a IN (SELECT DISTINCT ON (t.b) u.c FROM s.u)",
        "DELETE FROM s.t WHERE a IN (SELECT c FROM s.u QUALIFY ROW_NUMBER() OVER (ORDER BY d) = b)",
        "INSERT INTO s.t (a) VALUES ((SELECT a FROM s.t WHERE EXISTS (SELECT 1 FROM s.u WHERE c = b)))",
    ],
)
def test_a_correlated_subquery_is_refused(text: str) -> None:
    assert kinds(text) == {"correlated"}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM s.t WHERE a IN (SELECT c FROM s.u WHERE d = 1)",
        "SELECT a FROM s.t WHERE a > (SELECT MIN(u.c) FROM s.u WHERE u.d = 2)",
        "SELECT t.a FROM s.t LEFT JOIN s.u ON t.a = u.c WHERE u.c IS NULL",
        "SELECT x.a FROM (SELECT t.*, ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) AS p FROM s.t) AS x WHERE x.p = 1",
        "SELECT x.k + y.k FROM (SELECT COUNT(*) AS k FROM s.t) AS x CROSS JOIN (SELECT COUNT(*) AS k FROM s.u) AS y",
        # an inner query may call its own columns as the outer one calls its own
        "SELECT a FROM s.t WHERE a IN (SELECT a FROM s.t WHERE b = 1)",
        "SELECT a AS k FROM s.t GROUP BY k HAVING COUNT(*) > 1 ORDER BY k",
        "SELECT x.K FROM (SELECT a AS K FROM s.t GROUP BY K) AS x",
        "SELECT a FROM s.t UNION ALL SELECT c FROM s.u ORDER BY a",
        "SELECT a FROM s.t UNION ALL SELECT CAST(NULL AS INTEGER) AS a FROM s.u",
        "SELECT x.l FROM (SELECT CASE WHEN a = 1 THEN z ELSE 'b' END AS l FROM s.t) AS x",
        "SELECT x.l FROM (SELECT z || 'y' AS l FROM s.t) AS x",
        "INSERT INTO s.t (a, b) VALUES (1, NULL)",
        "INSERT INTO s.t (a, z) SELECT a, 'x' FROM s.t",
        "DELETE FROM s.t USING w WHERE t.a = w.a AND w.n = 1",
        "DELETE FROM s.t WHERE a IN (SELECT c FROM s.u)",
        "UPDATE s.t SET b = m.n FROM (SELECT c, COUNT(*) AS n FROM s.u GROUP BY c) AS m WHERE t.a = m.c",
        "UPDATE s.t SET b = m.d FROM s.u AS m WHERE RTRIM(t.z) = m.d",
        "INSERT INTO s.t (a, b) SELECT u.c, u.d FROM s.u LEFT JOIN s.t AS o ON u.c = o.a WHERE o.a IS NULL",
        "CREATE TEMPORARY TABLE q DISTKEY (a) AS SELECT a, CAST('x' AS VARCHAR(8)) AS l FROM s.t",
        "SELECT n, a FROM w WHERE n = 1",
        "SELECT z FROM s.t",
        "SELECT TRIM(file_name) AS file_name FROM sys_load_detail WHERE query_id = PG_LAST_COPY_ID()",
        "WITH q AS (SELECT a FROM s.t) SELECT a FROM q",
        "LOCK s.t",
        "SELECT ':a', '--:b' FROM s.t",
        "SELECT current_schema(), CURRENT_TIMESTAMP",
    ],
)
def test_what_redshift_takes_passes(text: str) -> None:
    assert read(text, tables()).problems == []


def test_a_column_that_may_be_an_outer_one_is_not_trusted() -> None:
    """Of a table that nobody has made here the columns are not known."""
    assert kinds("SELECT a FROM s.t WHERE a IN (SELECT x FROM s.strange WHERE b = 1)") == {
        "unresolved"
    }
    assert not kinds("SELECT a FROM s.t WHERE a IN (SELECT y.x FROM s.strange AS y WHERE y.b = 1)")
    assert kinds("SELECT nothing FROM s.t") == {"unresolved"}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM s.t WHERE a = :x",
        "SELECT a FROM s.t WHERE a = CAST(:x AS INTEGER)",
        "INSERT INTO s.t (a) VALUES (:x)",
        "COPY s.t FROM ':y' IAM_ROLE default MAXERROR :x",
        "EXPLAIN DELETE FROM s.t WHERE a = :x",
        "SELECT a FROM s.t WHERE a = ?",
        "SELECT a FROM s.t WHERE a = $1",
        "COPY s.t FROM ? IAM_ROLE default",
        "LOCK ?",
    ],
)
def test_a_parameter_is_refused(text: str) -> None:
    assert "parameter" in kinds(text)


@pytest.mark.parametrize("name", sorted(LEADER_ONLY))
def test_a_function_of_the_leader_node_is_refused_beside_a_table(name: str) -> None:
    call = f"{name}(1, 2)" if name == "getbit" else f"{name}(1)"
    assert kinds(f"SELECT a, {call} FROM s.t") == {"leader node"}
    assert kinds(f"UPDATE s.t SET b = {call}") == {"leader node"}
    assert not kinds(f"SELECT {call}")


def test_a_relation_of_the_leader_node_is_refused_beside_a_table() -> None:
    assert kinds("SELECT n.nspname FROM pg_namespace AS n INNER JOIN s.t ON n.oid = t.a") == {
        "leader node"
    }
    assert not kinds("SELECT n.nspname FROM pg_namespace AS n")
    assert kinds("SELECT a, CURRENT_TIMESTAMP FROM s.t") == {"leader node"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("DELETE FROM s.t USING w WHERE w.a = 1", "equijoin"),
        ("DELETE FROM s.t USING w WHERE t.a > w.a", "equijoin"),
        ("UPDATE s.t SET b = 1 FROM s.u WHERE u.c = 1 OR u.c = t.a", "equijoin"),
        ("SELECT a FROM s.t WHERE a IN (SELECT SUM(c) FROM s.u GROUP BY d)", "grouped IN"),
        ("SELECT x.l FROM (SELECT 'text' AS l FROM s.t) AS x", "unknown type"),
        ("CREATE TEMPORARY TABLE q AS SELECT NULL AS l FROM s.t", "unknown type"),
        (
            "SELECT x.l FROM (SELECT CASE WHEN a = 1 THEN 'a' END AS l FROM s.t) AS x",
            "unknown type",
        ),
        (
            "SELECT x.l FROM (SELECT CASE WHEN a = 1 THEN 'a' ELSE ('b') END AS l FROM s.t) AS x",
            "unknown type",
        ),
        ("SELECT x.l FROM (SELECT 'x' || 'y' AS l FROM s.t) AS x", "unknown type"),
        ("SELECT x.l FROM (SELECT COALESCE(NULL, 'y') AS l FROM s.t) AS x", "unknown type"),
        ("SELECT a FROM s.t UNION ALL SELECT NULL FROM s.u", "unknown type"),
        ("SELECT x.a FROM (SELECT a FROM s.t UNION ALL SELECT NULL FROM s.u) AS x", "unknown type"),
        ("INSERT INTO s.t (a) SELECT a FROM s.t UNION ALL (SELECT NULL FROM s.u)", "unknown type"),
        (
            "DELETE FROM s.t USING (SELECT c, 'x' AS l FROM s.u) AS x WHERE t.a = x.c",
            "unknown type",
        ),
        ("SELECT FROM WHERE", "unread"),
        ("DELETE s.t WHERE a = 1", "unread"),
    ],
)
def test_other_things_that_redshift_refuses(text: str, kind: str) -> None:
    assert kinds(text) == {kind}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LOCK s.t", {"LOCK …"}),
        ("TRUNCATE s.t", {"TRUNCATE …"}),
        ("COMMIT", {"COMMIT"}),
        ("DROP TABLE IF EXISTS s.t, s.u, s.v", {"DROP TABLE IF EXISTS …, …"}),
        ("DROP TABLE s.t CASCADE", {"DROP TABLE … CASCADE"}),
        ("ALTER TABLE s.t ALTER DISTKEY a", {"ALTER TABLE … ALTER DISTKEY …"}),
        ("ALTER TABLE s.t ALTER DISTKEY key", {"ALTER TABLE … ALTER DISTKEY …"}),
        ("ALTER TABLE s.t ALTER SORTKEY (a, b)", {"ALTER TABLE … ALTER SORTKEY (…)"}),
        (
            "ALTER TABLE s.t ALTER COLUMN z TYPE VARCHAR(9)",
            {"ALTER TABLE … ALTER COLUMN … TYPE …", "VARCHAR(n)"},
        ),
        ("GRANT USAGE ON SCHEMA s TO GROUP g", {"GRANT USAGE ON SCHEMA … TO GROUP …"}),
        (
            "COPY s.t (a, b) FROM 's3://w/m' IAM_ROLE default FORMAT AS JSON 's3://w/j' MANIFEST GZIP MAXERROR 9",
            {
                "COPY", "COPY table (columns)", "COPY … IAM_ROLE DEFAULT", "COPY … FORMAT AS JSON 'jsonpaths'",
                "COPY … MANIFEST", "COPY … GZIP", "COPY … MAXERROR n",
            },
        ),
        (
            "COPY t FROM 's3://w/k' IAM_ROLE 'arn:aws:iam::1:role/r' CSV IGNOREHEADER AS 1 REGION 'us-east-1'",
            {
                "COPY", "COPY … IAM_ROLE 'arn'", "COPY … CSV", "COPY … IGNOREHEADER AS n", "COPY … REGION 'region'",
            },
        ),
        ("CREATE TABLE s.q (LIKE s.t INCLUDING DEFAULTS)", {"CREATE TABLE (LIKE … INCLUDING DEFAULTS)"}),
        ("CREATE TABLE s.q (LIKE s.t)", {"CREATE TABLE (LIKE …)"}),
        (
            "CREATE TABLE s.q (a BIGINT IDENTITY (0, 1) NOT NULL, b DATE DEFAULT GETDATE()) DISTKEY (a) SORTKEY (b)",
            {
                "CREATE TABLE", "BIGINT", "IDENTITY (0, 1)", "NOT NULL", "DATE", "DEFAULT", "GETDATE()",
                "DISTKEY (…)", "SORTKEY (…)",
            },
        ),
        (
            "SELECT a FROM s.t WHERE a = TIMESTAMP '2018-11-01'",
            {"SELECT", "comparison", "TIMESTAMP", "TIMESTAMP '…'", "CAST(… AS type)"},
        ),
        ("SELECT a::int FROM s.t", {"SELECT", "::", "INTEGER", "CAST(… AS type)"}),
        ("SELECT NVL(a, 1), LEN(z), SYSDATE FROM s.t LIMIT 1", {"SELECT", "NVL()", "LEN()", "SYSDATE", "LIMIT"}),
        (
            "SELECT EXTRACT(DOW FROM a), TO_CHAR(MAX(a), 'HH24') FROM s.t",
            {"SELECT", "EXTRACT(DOW)", "TO_CHAR('HH24')", "MAX()"},
        ),
        ("SELECT CASE WHEN a = 0 THEN 0 ELSE b / a END FROM s.t", {"SELECT", "CASE", "comparison", "/ inside CASE"}),
        (
            "SELECT CASE WHEN z = '1' THEN CAST(z AS INTEGER) ELSE 0 END FROM s.t",
            {"SELECT", "CASE", "comparison", "CAST(… AS type)", "CAST to a number inside CASE", "INTEGER"},
        ),
        ("SELECT t.a FROM s.t INNER JOIN s.u USING (a)", {"SELECT", "INNER JOIN", "JOIN … USING"}),
        ("SELECT a FROM s.t, s.u", {"SELECT", "FROM a, b"}),
        ("SELECT a FROM s.t UNION SELECT c FROM s.u", {"SELECT", "UNION"}),
        (
            "UPDATE s.t SET b = 1 FROM s.t AS o LEFT JOIN s.u ON o.a = u.c WHERE o.a = t.a",
            {"UPDATE … FROM (its own target again)", "UPDATE … FROM … LEFT JOIN", "comparison"},
        ),
        ("SELECT file_name FROM sys_load_detail", {"SELECT", "sys_load_detail.file_name"}),
        (
            "INSERT INTO s.t (a) SELECT query_id FROM sys_load_detail",
            {"INSERT … SELECT", "sys_load_detail.query_id", "a system view read by a statement that writes"},
        ),
        (
            "SELECT file_name, PG_LAST_COPY_COUNT() AS copied FROM sys_load_detail",
            {
                "SELECT", "sys_load_detail.file_name", "PG_LAST_COPY_COUNT()", "PG_LAST_COPY_COUNT() beside a table",
            },
        ),
        ("SELECT PG_LAST_COPY_COUNT()", {"SELECT", "PG_LAST_COPY_COUNT()"}),
        ("SELECT MEDIAN(a) OVER (PARTITION BY b) FROM s.t", {"SELECT", "MEDIAN()", "MEDIAN OVER (…)"}),
    ],
)  # fmt: skip
def test_the_forms_of_a_statement(text: str, expected: set[str]) -> None:
    assert forms(text) == expected


@pytest.mark.parametrize(
    ("text", "form"),
    [
        # docs.aws.amazon.com/redshift/latest/dg/r_WF_COUNT.html: an order needs a frame
        ("SELECT COUNT(*) OVER (PARTITION BY a ORDER BY b) AS n FROM s.t", "COUNT() OVER (… ORDER BY …)"),
        (
            "SELECT COUNT(*) OVER (ORDER BY b ROWS UNBOUNDED PRECEDING) AS n FROM s.t",
            "COUNT() OVER (… ORDER BY … ROWS …)",
        ),
        ("SELECT ROW_NUMBER() OVER (PARTITION BY a) AS n FROM s.t", "ROW_NUMBER() OVER (…)"),
        ("LOCK s.t IN SHARE MODE", "LOCK … IN … MODE"),
        ("LOCK s.t NOWAIT", "LOCK … NOWAIT"),
        ("LOCK s.t, s.u", "LOCK …, …"),
        ('LOCK "s"."t" NOWAIT;', "LOCK … NOWAIT"),
        ("DROP TABLE s.t FORCE", "DROP TABLE … FORCE"),
        ("CREATE SCHEMA s QUOTA 5 GB", "CREATE SCHEMA … QUOTA … GB"),
        ("EXPLAIN COPY s.t FROM 's3://w/k' IAM_ROLE default", "EXPLAIN COPY"),
        ("EXPLAIN LOCK s.t", "EXPLAIN LOCK"),
        ("EXPLAIN VERBOSE SELECT a FROM s.t", "EXPLAIN VERBOSE"),
        ("EXPLAIN CREATE VIEW s.q AS SELECT a FROM s.t", "EXPLAIN CREATE VIEW"),
        ("EXPLAIN CREATE TABLE s.q (LIKE s.t)", "EXPLAIN CREATE TABLE"),
        ("SELECT DISTINCT ON (a) b FROM s.t", "SELECT DISTINCT ON (…)"),
        ("SELECT COUNT(DISTINCT a, b) FROM s.t", "COUNT(DISTINCT a, b)"),
        ("SELECT MAX(DISTINCT a) FROM s.t", "MAX(DISTINCT)"),
        ("UPDATE s.t SET t.a = 1", "UPDATE … SET table.column"),
        ("UPDATE s.t SET (a, b) = (1, 2)", "row (a, b)"),
        ("SELECT a FROM s.t WHERE z ~ 'x'", "RegexpLike"),
        ("SELECT a FROM s.t WHERE z !~ 'x'", "RegexpLike"),
        ('SELECT z COLLATE "x" FROM s.t', "Collate"),
        ("SELECT a FROM s.t WHERE (a, b) IN (SELECT c, d FROM s.u)", "row (a, b)"),
        ("SELECT a FROM s.t WHERE (a, b) = (1, 2)", "row (a, b)"),
        ("SELECT CASE a WHEN 1 THEN 2 END FROM s.t", "CASE x WHEN …"),
        ("SELECT t.a FROM s.t LEFT JOIN s.u ON t.a < u.c", "LEFT JOIN without an equality"),
        ("SELECT t.a FROM s.t LEFT JOIN s.u ON u.c = 1", "LEFT JOIN without an equality"),
        ("SELECT t.a FROM s.t LEFT JOIN s.u ON u.c = u.d", "LEFT JOIN without an equality"),
        ("SELECT t.a FROM s.t LEFT JOIN s.u ON t.a = u.c OR t.b = u.d", "LEFT JOIN without an equality"),
        ("SELECT t.a FROM s.t INNER JOIN s.u ON t.a <> u.c", "INNER JOIN without an equality"),
        ("SELECT a, COUNT(*) AS n FROM s.t GROUP BY 1", "GROUP BY 1"),
        ("SELECT a FROM s.t GROUP BY ALL", "GROUP BY ALL"),
        ("SELECT a FROM s.t ORDER BY 1", "ORDER BY 1"),
        ("SELECT a FROM s.t UNION ALL SELECT c FROM s.u ORDER BY a", "Union order"),
        (
            "CREATE TABLE s.q (a BIGINT GENERATED BY DEFAULT AS IDENTITY (0, 1))",
            "GENERATED BY DEFAULT AS IDENTITY",
        ),
        ("CREATE TABLE s.q (a VARCHAR(MAX))", "VARCHAR(MAX)"),
        ("CREATE TABLE s.q (a VARCHAR(9) DEFAULT CURRENT_USER)", "DEFAULT CURRENT_USER"),
        ("CREATE TABLE s.q (a INTEGER) COMPOUND SORTKEY (a)", "SortKeyProperty compound"),
        ("INSERT INTO s.t DEFAULT VALUES", "INSERT … DEFAULT VALUES"),
        (
            "CREATE VIEW s.q AS SELECT a FROM s.t WITH NO SCHEMA BINDING",
            "CREATE VIEW … AS SELECT WITH NO SCHEMA BINDING",
        ),
        ("COPY s.t FROM 'emr://j-1/x' IAM_ROLE default", "COPY … FROM 'emr:…'"),
        ("COPY s.t FROM 's3://w/k' IAM_ROLE default GZIP BZIP2", "COPY … GZIP BZIP2"),
        ("COPY s.t FROM 's3://w/k' IAM_ROLE default MANIFEST MANIFEST", "COPY … MANIFEST twice"),
        ("INSERT INTO s.t SELECT c, d FROM s.u", "INSERT … SELECT without columns"),
        ("INSERT INTO s.t VALUES (1, 2)", "INSERT … VALUES without columns"),
        ("INSERT INTO s.t (a, b) VALUES (1, DEFAULT)", "DEFAULT as a value"),
        ("UPDATE s.t SET a = DEFAULT", "DEFAULT as a value"),
        ("SELECT SUM(ALL a) FROM s.t", "SUM(ALL)"),
        ("CREATE TEMPORARY TABLE q (x) AS SELECT a FROM s.t", "CREATE TEMPORARY TABLE (columns) … AS SELECT"),
        ("SELECT a, CURRENT_USER FROM s.t", "CURRENT_USER beside a table"),
        ("SELECT a, CURRENT_DATABASE() FROM s.t", "CURRENT_DATABASE() beside a table"),
        ("SELECT a FROM s.t WHERE (a = 1) IS TRUE", "IS TRUE"),
        ("SELECT TRIM(TRAILING 'x' FROM z) FROM s.t", "TRIM(TRAILING)"),
        ("SELECT s.f(a) FROM s.t", "Dot"),
        ("SELECT dev.s.t.a FROM s.t", "Column db"),
        ("SELECT a FROM s.t AS x (a, b)", "TableAlias columns"),
    ],
)  # fmt: skip
def test_a_form_without_an_entry_is_refused(text: str, form: str) -> None:
    """The parser's own name at least, where it takes what Redshift may not take."""
    assert form in forms(text)
    assert form not in evidence.ids_of(evidence.SQL, evidence.entries())


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("EXPLAIN CREATE TEMPORARY TABLE q AS SELECT a FROM s.t", "EXPLAIN"),
        ("SELECT a FROM s.t LEFT JOIN s.u ON (t.a = u.c AND u.d = 1)", "LEFT JOIN"),
        ("SELECT a FROM s.t LEFT JOIN s.u ON a = c", "LEFT JOIN"),
        ("SELECT COUNT(*) OVER (PARTITION BY a) AS n FROM s.t", "COUNT() OVER (…)"),
        ("CREATE TABLE s.q (a BIGINT IDENTITY (0, 1), b DATE DEFAULT GETDATE())", "IDENTITY (0, 1)"),
        ("SELECT CURRENT_USER, CURRENT_DATABASE()", "CURRENT_USER"),
        ("COPY s.t FROM 's3://w/k' IAM_ROLE default GZIP", "COPY … GZIP"),
        ('LOCK "s"."t";', "LOCK …"),
    ],
)  # fmt: skip
def test_what_has_an_entry_is_not_refused_for_its_neighbour(text: str, form: str) -> None:
    strict = ("without", "beside", "GENERATED", "ORDER BY", "EXPLAIN ", "GZIP ", "NOWAIT")
    assert form in forms(text)
    assert not [name for name in forms(text) if any(word in name for word in strict)]


def test_a_form_that_the_parser_knows_and_we_do_not_has_a_name_too() -> None:
    """Nothing slips through because nobody has thought of it."""
    for text in (
        "MERGE INTO s.t USING s.u ON t.a = u.c WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1, 2)",
        "SELECT a FROM s.t QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1",
        "SELECT a FROM s.t WHERE z SIMILAR TO 'x'",
        "SELECT a FROM s.t NATURAL JOIN s.u",
        "SELECT a FROM s.t WHERE a = ANY (SELECT c FROM s.u)",
        "SELECT a FROM s.t FOR UPDATE",
        "CREATE TABLE s.q (a INTEGER ENCODE az64) BACKUP NO",
        "CALL s.procedure(1)",
        "VACUUM s.t",
        "CREATE EXTERNAL TABLE s.x (a INTEGER) STORED AS PARQUET LOCATION 's3://x'",
    ):
        assert forms(text) - evidence.ids_of(evidence.SQL, evidence.entries()).keys(), text


# ---------------------------------------------------------------- the files


BAD = {
    "correlated": "SELECT 1 FROM ${schema}.files AS f WHERE 1 IN (SELECT 1 FROM ${schema}.loads WHERE mode = f.lines)",
    "parameter": "SELECT f.key FROM ${schema}.files AS f WHERE f.load_id = :load",
    "leader node": "SELECT f.key, current_schema() FROM ${schema}.files AS f",
    "unlisted": "SELECT MEDIAN(f.size) FROM ${schema}.files AS f",
}
SAID = {
    "correlated": "f.lines comes from an outer query",
    "parameter": "the Data API parameter :load",
    "leader node": "CURRENT_SCHEMA() runs on the leader node only",
    "unlisted": "the form `MEDIAN()` is not in docs/evidence.md",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of sql/ that is read in its place."""
    shutil.copytree(sql.ROOT, tmp_path / "sql")
    monkeypatch.setattr(sql, "ROOT", tmp_path / "sql")
    sql.read.cache_clear()
    yield tmp_path / "sql"
    sql.read.cache_clear()


def found() -> sql_lint.Report:
    """The report on the files, each by itself."""
    return sql_lint.lint(sql_lint.files(sql), evidence.entries())


def test_a_bad_statement_is_found_in_any_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind at the end of each file."""
    original = sql.read

    def spoiled(name: str) -> str:
        if not name.endswith(".sql"):
            return original(name)
        return "".join(
            [original(name).rstrip().removesuffix(";"), *(f";\n\n{bad}" for bad in BAD.values())]
        )

    monkeypatch.setattr(sql, "read", spoiled)
    problems = found().problems
    for file in FILES:
        for kind, said in SAID.items():
            bad = BAD[kind].replace("${schema}", "sparkify")[:80]
            told = [line for line in problems if line.startswith(f"sql/{file}: {said}")]
            assert [line for line in told if f", in: {bad}" in line], (file, kind)


def test_a_bad_check_of_a_user_is_warned_about(root: Path) -> None:
    before = found()
    (root / "datasets/log_data/checks/published/sizes_known.sql").write_text(
        "-- Ours to judge.\nSELECT MEDIAN(f.size) AS figure, 0 AS expected\nFROM ${schema}.files AS f\n"
    )
    report = found()
    assert report.problems == before.problems
    new = set(report.warnings) - set(before.warnings)
    assert [line for line in new if SAID["unlisted"] in line and "sizes_known.sql" in line]


@pytest.fixture
def moved(root: Path) -> tuple[str, str]:
    """A check of a user at the place where earlier versions had it; and where it belongs now."""
    old, new = (
        f"{folder}/levels_known.sql"
        for folder in ("checks/staged/log_data", "datasets/log_data/checks/staged")
    )
    (root / old).parent.mkdir(parents=True)
    (root / old).write_text("-- Runs after COPY.\nSELECT 0 AS figure, 0 AS expected\n")
    datasets.cache_clear()
    return old, new


def test_the_lint_names_a_file_at_its_old_place(
    moved: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert sql_lint.main() == 1
    said = capsys.readouterr().out
    assert all(f"sql/{name}" in said for name in moved)


def test_the_build_names_a_file_at_its_old_place(
    root: Path, moved: tuple[str, str], tmp_path: Path
) -> None:
    for name in ("contracts", "functions"):
        shutil.copytree(sql_lint.ROOT / name, tmp_path / name)
    old, new = (root / name for name in moved)

    def build() -> subprocess.CompletedProcess[str]:
        made = f"ARTIFACTS_DIR={tmp_path / 'made'}"
        return subprocess.run(
            ["make", "build-PlanFunction", made],
            cwd=tmp_path / "functions",
            capture_output=True,
            text=True,
            check=False,
        )

    (tmp_path / "made").mkdir()
    ended = build()
    assert ended.returncode != 0
    assert f"../sql/{moved[0]}" in ended.stderr
    assert not list((tmp_path / "made").iterdir())
    shutil.move(old, new)
    ended = build()
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "made" / "sql" / moved[1]).is_file()


def test_a_part_that_a_user_wrote_does_not_make_our_statement_wrong() -> None:
    """published/ of a user stands in the union that publish/ sends."""
    mine = "SELECT MEDIAN(f.size) AS figure, 0 AS expected FROM s.files AS f"
    ours = f"INSERT INTO s.t (a) SELECT q.figure FROM ({mine}) AS q"
    made = ("migrations/ledger.sql", "CREATE TABLE s.files (size BIGINT)")
    pairs = [made, ("publish/check_results.sql", ours)]
    assert any("MEDIAN" in line for line in sql_lint.lint(pairs, evidence.entries()).problems)
    pairs.append(("datasets/log_data/checks/published/sizes_known.sql", mine))
    report = sql_lint.lint(pairs, evidence.entries())
    assert not any("MEDIAN" in line for line in report.problems)
    assert any("MEDIAN" in line for line in report.warnings)
    # The same in a file of ours that holds no parts is ours.
    report = sql_lint.lint([*pairs, ("publish/files.sql", mine)], evidence.entries())
    assert [
        line for line in report.problems if "MEDIAN" in line and "sql/publish/files.sql" in line
    ]


def test_what_holds_parts_is_known() -> None:
    holding = {
        file for file in FILES if re.search(r"^ *\$\{\w+\}$", (sql.ROOT / file).read_text(), re.M)
    }
    assert holding == {file for file in sql_lint.HOLD_PARTS if file.endswith(".sql")}


@pytest.mark.parametrize(
    ("file", "ours"),
    [
        ("publish/begin.sql", True),
        ("datasets/log_data/publish/40_songplays.sql", True),
        ("datasets/song_data/reload/10_songs.sql", True),
        ("datasets/log_data/checks/undone/plays_gone.sql", True),
        ("migrations/ledger.sql", True),
        ("admin/setup.sql", True),
        ("datasets/ratings/publish/10_ratings.sql", False),
        ("datasets/ratings/copy.sql", False),
        ("datasets/log_data/checks/staged/levels_known.sql", False),
        ("checks/published/mine.sql", False),
        ("migrations/077_ratings.sql", False),
    ],
)
def test_what_is_ours(file: str, ours: bool) -> None:
    assert sql_lint.is_ours(file) is ours


def test_what_is_called_ours_is_there() -> None:
    names = {Path(file).stem for file in FILES if re.search(r"\b(checks|migrations)/", file)}
    assert names >= {*sql_lint.OUR_CHECKS, *sql_lint.OUR_MIGRATIONS}
    assert {*sql_lint.OUR_DATASETS} <= {path.name for path in (sql.ROOT / "datasets").iterdir()}


def test_the_loaders_own_sql_keeps_to_the_listed_forms() -> None:
    report = sql_lint.lint(sql_lint.rendered(), evidence.entries())
    assert not report.problems, "\n".join(report.problems)


def test_every_file_of_sql_is_read() -> None:
    read_files = {file for file, _ in sql_lint.rendered()}
    assert {*FILES} <= read_files
    assert "functions/preflight.py" in read_files


STATEMENT = re.compile(
    r"\s*(SELECT|INSERT INTO|DELETE FROM|UPDATE \S+ SET|COPY \S+ FROM|LOCK \S+\.|TRUNCATE)"
    r"|(CREATE|DROP|ALTER) [A-Z]+ \w"
)


def texts(path: Path) -> Iterator[str]:
    """The string literals of a module, and the first part of its f-strings."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_functions_have_no_other_sql() -> None:
    """A statement in the code would be read by nobody: what explain.py and sql.py make is read as a part of others."""
    paths = sorted((ROOT / "functions").rglob("*.py"))
    found = {(path.name, text) for path in paths for text in texts(path) if STATEMENT.match(text)}
    assert {name for name, _ in found} == {"explain.py", "sql.py", "preflight.py"}
    assert {text for name, text in found if name == "preflight.py"} == {*sql_lint.OF_PREFLIGHT}


# ---------------------------------------------------------------- the page


def page(*rows: str) -> list[evidence.Entry]:
    head = "# Page\n\n## SQL\n\n| form | evidence | what it shows |\n| --- | --- | --- |\n"
    return evidence.entries(head + "".join(f"{row}\n" for row in rows))


LISTED = "| `SELECT` | [dg](https://docs.aws.amazon.com/x.html) | Rows. |"
ASSUMED = "| `b{}` | assumed | It is so. If it is wrong: it fails. Noticed: the report says so. |"


def test_an_entry_without_an_address_is_assumed() -> None:
    listed, assumed, said, careless = page(
        LISTED,
        ASSUMED.format(1),
        "| `c` | [dg](https://docs.aws.amazon.com/x.html) | Assumed in part. If it is wrong: no. Noticed: no. |",
        "| `d` | | Everybody knows. |",
    )
    assert not listed.assumed
    assert listed.is_complete
    assert assumed.assumed
    assert assumed.is_complete
    assert said.assumed
    assert careless.assumed
    assert not careless.is_complete


def test_an_assumption_says_what_if_it_is_wrong() -> None:
    report = sql_lint.lint([], page("| `d` | | Everybody knows. |"))
    assert [line for line in report.problems if "`d` has no address" in line]


def test_the_eleventh_assumption_is_one_too_many() -> None:
    ten = sql_lint.lint([], page(*(ASSUMED.format(n) for n in range(10))))
    assert ten.problems == []
    assert (
        len([line for line in ten.lines() if line.startswith("assumed: docs/evidence.md:")]) == 10
    )
    eleven = sql_lint.lint([], page(*(ASSUMED.format(n) for n in range(11))))
    assert ["11 entries are assumed; at most 10" in line for line in eleven.problems] == [True]


def test_a_form_that_nothing_uses_is_reported() -> None:
    made = ("migrations/ledger.sql", "CREATE TABLE s.t (a INTEGER)")
    rows = (LISTED, LISTED.replace("SELECT", "CREATE TABLE"), LISTED.replace("SELECT", "INTEGER"))
    used = [made, ("plan/compare.sql", "SELECT a FROM s.t")]
    assert sql_lint.lint(used, page(*rows)).stale == []
    report = sql_lint.lint([made], page(*rows))
    assert report.stale == ["docs/evidence.md:7: no statement uses `SELECT` any more"]
    assert report.problems == []


def test_what_a_user_alone_uses_does_not_keep_a_form() -> None:
    report = sql_lint.lint([("checks/staged/mine.sql", "SELECT 1")], page(LISTED))
    assert len(report.stale) == 1


def test_an_id_stands_once() -> None:
    with pytest.raises(ValueError, match="line 7 too"):
        sql_lint.lint([], page(LISTED, LISTED))


def test_the_lint_fails_and_says_what_is_assumed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sql_lint, "rendered", lambda: [("plan/compare.sql", "SELECT 1")])
    assert sql_lint.main() == 0
    said = capsys.readouterr().out
    assert re.search(r"^assumed: docs/evidence.md:\d+: `LOCK takes no snapshot`$", said, re.M)
    monkeypatch.setattr(sql_lint, "rendered", lambda: [("plan/compare.sql", "SELECT MEDIAN(1)")])
    assert sql_lint.main() == 1
    assert SAID["unlisted"] in capsys.readouterr().out
