"""The SQL templates: what a placeholder takes, how a file is split, what checks become."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loader import sql
from loader.datasets import load_all
from loader.sql import NO_TIME, Fragment, TemplateError, as_literal, timestamp

COUNTS = [name for name, pattern in sql.PATTERNS.items() if pattern == sql.COUNT]
AMOUNTS = [name for name, pattern in sql.PATTERNS.items() if pattern == sql.AMOUNT]
TIMES = [name for name, pattern in sql.PATTERNS.items() if pattern == sql.TIMESTAMP]
GOOD = {
    sql.IDENTIFIER: "sparkify",
    sql.S3_URI: "s3://work-1.bucket/loads/a-b_c.json",
    sql.LOAD_ID: "20261123-203011-0a1b2c3d",
    sql.COUNT: "123",
    sql.AMOUNT: "12.5",
    sql.FLAG: "1",
    sql.TIMESTAMP: "2026-11-23 20:30:11.123000",
    sql.PATTERNS["query"]: "pg_last_copy_id()",
    sql.PATTERNS["batch"]: "0.1",
    sql.PATTERNS["mode"]: "reload",
    sql.PATTERNS["rows_copied"]: "123",
    sql.PATTERNS["execution"]: "arn:aws:states:us-west-2:123456789012:execution:load:a-b",
    sql.PATTERNS["copy_role"]: "'arn:aws:iam::123456789012:role/copy'",
    sql.PATTERNS["copy_options"]: "GZIP NOLOAD MAXERROR 100",
    sql.PATTERNS["contract"]: "0123456789abcdef",
    sql.PATTERNS["declaration"]: "DECIMAL(12, 2) DEFAULT 0 NOT NULL",
    sql.PATTERNS["key_columns"]: "order_id,line_no",
    sql.PATTERNS["newest"]: "updated_at",
    sql.PATTERNS["masks"]: "orders.email hash|orders.name drop",
    sql.PATTERNS["columns"]: "orders.order_id VARCHAR(64)|orders.total DOUBLE PRECISION",
}
QUOTED = (
    "copy_role",
    "copy_options",
)  # they stand outside of quotes, and have whole literals in them
# A bucket's name may have two hyphens, and a URI stands in quotes; an option may be on a line of its own.
URIS = [name for name, pattern in sql.PATTERNS.items() if pattern == sql.S3_URI]
ALLOWED = {("--", name) for name in (*URIS, *QUOTED)} | {(c, "copy_options") for c in "\n\r"}

EXECUTION = "arn:aws:states:us-west-2:123456789012:execution:load:s3-1"

# Only files that are generated from a contract use it (tests/contracts).
OF_CONTRACTS = {"values_of_key"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty sql/."""
    monkeypatch.setattr(sql, "ROOT", tmp_path)
    return tmp_path


def rendered(folder: Path, text: str, **names: str) -> list[sql.Rendered]:
    (folder / "x.sql").write_text(text)
    sql.read.cache_clear()
    return sql.render("x.sql", names)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    sql.read.cache_clear()
    yield
    sql.read.cache_clear()


def test_a_file_is_rendered_without_its_comments(folder: Path) -> None:
    text = "-- It's ${unknown}; the first.\nSELECT ';', '--', \"a;b\"  -- :no\nFROM ${schema}.t; /* ; */\n;\nSELECT 2\n"
    assert rendered(folder, text, schema="s") == ["SELECT ';', '--', \"a;b\"\nFROM s.t", "SELECT 2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (";;\n ;", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT 'it''s; one'; SELECT 2", ["SELECT 'it''s; one'", "SELECT 2"]),
        ('SELECT "a""b;c"', ['SELECT "a""b;c"']),
        ("SELECT 1 - 2 / 3; SELECT 4", ["SELECT 1 - 2 / 3", "SELECT 4"]),
    ],
)
def test_statements(text: str, expected: list[str]) -> None:
    assert sql.statements(text) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", "sparkify"),
        ("stage_table", "event_stage_20261123_203011_0a1b2c3d_0_1_2_0"),
        ("event_stage", "event_stage_1"),
        ("manifest", "s3://work-1.bucket/loads/20261123-203011-0a1b2c3d/manifests/0.1.0.json"),
        ("query", "pg_last_copy_id()"),
        ("query", "1234567890"),
        ("copy_role", "default"),
        ("copy_role", "'arn:aws:iam::123456789012:role/service/copy+=,.@-1'"),
        ("copy_options", ""),
        ("copy_options", "GZIP NOLOAD MAXERROR 100000"),
        ("loader_schema", "sparkify_loader"),
        ("new_schema", "sparkify_loader"),
        ("load_id", "20261123-203011-0a1b2c3d"),
        ("undone_load", "20261123-203011-0a1b2c3d"),
        ("batch", "0"),
        ("batch", "12.1.2"),
        ("dataset", "log_data"),
        ("mode", "load"),
        ("mode", "reload"),
        ("named", "0"),
        ("reload", "1"),
        ("execution", "arn:aws:states:us-west-2:123456789012:execution:load:s3-1"),
        ("execution", "arn:aws:states:us-west-2:123456789012:express:load:It%27s%3B_-%2Da.b"),
        ("execution", "x" * 1024),
        *((name, "0") for name in COUNTS),
        *((name, "9223372036854775807") for name in COUNTS),
        *((name, "1234567890.123456789") for name in AMOUNTS),
        *((name, "0") for name in AMOUNTS),
        *((name, "2026-11-23 20:30:11.123000") for name in TIMES),
        *((name, "1970-01-01 00:00:00") for name in TIMES),
        *(
            (name, "50867-02-01 00:00:00.5") for name in TIMES
        ),  # seconds that were taken for milliseconds
        ("rows_copied", "NULL"),
    ],
)
def test_a_placeholder_takes_what_its_pattern_allows(folder: Path, name: str, value: str) -> None:
    assert rendered(folder, f"A ${{{name}}} B", **{name: value}) == [f"A {value} B".strip()]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", ""),
        ("schema", "a b"),
        ("schema", "a'b"),
        ("schema", 'a"b'),
        ("schema", "a;b"),
        ("schema", "a--b"),
        ("schema", "a.b"),
        ("schema", "a\n"),
        ("schema", "Å"),
        ("stage_table", "x; DROP TABLE y"),
        ("event_stage", "x' OR 'a' = 'a"),
        ("check", "a b"),
        ("a_name_that_no_pattern_knows", "a b"),
        ("manifest", "s3://working/a b.json"),
        ("manifest", "s3://working/a'b.json"),
        ("manifest", "s3://working/a;b.json"),
        ("manifest", "s3://working/"),
        ("manifest", "https://working/a.json"),
        ("manifest", "s3://working/a.json\n"),
        ("ledger", "s3://WORK/a.json"),
        ("listing", "s3://working/é.json"),
        ("query", "1 OR 1 = 1"),
        ("query", "-1"),
        ("copy_role", "'default'"),
        ("copy_role", "arn:aws:iam::123456789012:role/copy"),
        ("copy_role", "'arn:aws:iam::123456789012:role/a' CREDENTIALS 'b'"),
        ("copy_options", "GZIP; DROP TABLE y"),
        ("copy_options", "REGION 'eu-central-1'"),
        ("copy_options", "TRUNCATECOLUMNS"),
        ("loader_schema", "sparkify.loader"),
        ("new_schema", "sparkify AUTHORIZATION x"),
        ("load_id", "20261123-203011-0A1B2C3D"),
        ("load_id", "20261123-203011-0a1b2c3d0"),
        ("load_id", "20261123-203011-0a1b2c3d' OR 'a' = 'a"),
        ("undone_load", "latest"),
        ("undone_load", "20261123-203011-0a1b2c3d\n"),
        ("batch", ""),
        ("batch", "0."),
        ("batch", "0.1; DROP TABLE y"),
        ("dataset", "log-data"),
        ("mode", "undo"),
        ("mode", "load' --"),
        ("named", "2"),
        ("named", "yes"),
        ("reload", "1 OR 1 = 1"),
        ("reload", ""),
        ("execution", ""),
        ("execution", "arn:a--b"),
        ("execution", "arn:It's"),
        ("execution", "arn:a b"),
        ("execution", "arn:a\\b"),
        ("execution", "x" * 1025),
        *((name, "-1") for name in COUNTS),
        *((name, "1.5") for name in COUNTS),
        *((name, "1e5") for name in (*COUNTS, *AMOUNTS)),
        *((name, "٣") for name in (*COUNTS, *AMOUNTS)),
        *((name, "1.") for name in AMOUNTS),
        *((name, "NULL") for name in (*COUNTS, *AMOUNTS, *TIMES)),
        *((name, "2026-11-23T20:30:11") for name in TIMES),
        *((name, "2026-11-23 20:30:11'") for name in TIMES),
        *((name, "2026-11-23 20:30:11.1234567") for name in TIMES),
        *((name, "now") for name in TIMES),
    ],
)
def test_a_placeholder_refuses_the_rest_by_its_name(folder: Path, name: str, value: str) -> None:
    with pytest.raises(TemplateError, match=rf"x\.sql: \$\{{{name}\}} must not be"):
        rendered(folder, f"A ${{{name}}}", **{name: value})


@pytest.mark.parametrize("name", [*sql.PATTERNS, "event_stage"])
def test_no_placeholder_takes_what_could_end_a_literal_or_a_statement(name: str) -> None:
    """Each good value with each hostile piece in each of its places, and many texts that a pattern makes up."""
    hostile = [
        "'",
        '"',
        "\\",
        ";",
        "--",
        "/*",
        "*/",
        "\n",
        "\r",
        "\0",
        "$",
        "\u2019",
        "' OR 'a' = 'a",
    ]
    pattern = sql.PATTERNS.get(name, sql.IDENTIFIER)
    good = GOOD[pattern]
    assert sql.fits(name, good)
    for piece in hostile:
        for place in range(len(good) + 1):
            text = good[:place] + piece + good[place:]
            if sql.fits(name, text):
                assert (piece, name) in ALLOWED, text
                assert sql.statements(f"x {text} x") == [
                    f"x {text} x"
                ]  # nothing of it is a comment


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_what_a_pattern_allows_stays_within_its_literal(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(sql.PATTERNS.keys() - set(QUOTED))))
    pattern = re.compile(sql.PATTERNS[name], re.ASCII)
    text = data.draw(st.from_regex(pattern, fullmatch=True))
    assert sql.fits(name, text)
    assert text.isascii()
    for piece in ("'", '"', "\\", ";", "--", "/*", "\n", "${"):
        assert piece not in text or (piece, name) in ALLOWED, (name, text)
    assert sql.statements(f"SELECT '{text}'") == [f"SELECT '{text}'"]


def test_what_is_a_text_stands_in_quotes() -> None:
    """So that two hyphens in the name of a bucket begin no comment."""
    texts = {
        sql.S3_URI,
        sql.LOAD_ID,
        sql.TIMESTAMP,
        *(sql.PATTERNS[n] for n in ("batch", "mode", "execution")),
    }
    names = {name for name, pattern in sql.PATTERNS.items() if pattern in texts} | {"dataset"}
    seen = set()
    for path in sql.ROOT.rglob("*.sql"):
        text = sql.without_comments(str(path.relative_to(sql.ROOT)))
        outside = re.sub(r"'(?:[^']|'')*'", "''", text)
        assert not names & set(re.findall(r"\$\{(\w+)\}", outside)), path
        seen |= names & set(re.findall(r"\$\{(\w+)\}", text))
    assert seen == names - OF_CONTRACTS


def test_every_placeholder_of_the_files_has_a_pattern() -> None:
    """Or is a dataset's staging table or a fragment, both made by the loader; a name without one is an identifier."""
    used = {
        found
        for path in sql.ROOT.rglob("*.sql")
        for found in re.findall(r"\$\{(\w+)\}", path.read_text(encoding="utf-8"))
    }
    tables = {dataset.stage_table for dataset in load_all().values()}
    fragments = {"checks", "staged", "published", "filled", "tables", "views", "ledger_now"}
    fragments.add("misfits")
    assert used - tables - fragments == set(sql.PATTERNS) - OF_CONTRACTS


def test_an_unknown_placeholder_is_refused_by_its_name(folder: Path) -> None:
    with pytest.raises(TemplateError, match=r"uses \$\{tabel\}, .* known are: schema, stage_table"):
        rendered(folder, "SELECT 1 FROM ${schema}.${tabel}", schema="s", stage_table="t")


def test_a_value_is_not_looked_into_for_placeholders(folder: Path) -> None:
    """A fragment is text that was rendered: what looks like a placeholder in it stays as it is."""
    assert rendered(folder, "A (${checks})", checks=Fragment("SELECT '${schema}'"), schema="s") == [
        "A (SELECT '${schema}')"
    ]


@pytest.mark.parametrize(("text", "count"), [("", 0), ("SELECT 1; SELECT 2", 2)])
def test_one_statement_and_no_other(folder: Path, text: str, count: int) -> None:
    (folder / "x.sql").write_text(text)
    with pytest.raises(TemplateError, match=rf"x\.sql holds {count} statements"):
        sql.render_one("x.sql", {})


def test_a_statement_knows_its_file(folder: Path) -> None:
    (folder / "x.sql").write_text("SELECT 1; SELECT ${schema};")
    found = sql.render("x.sql", {"schema": "s"})
    assert found == ["SELECT 1", "SELECT s"]
    assert {text.file for text in found} == {"x.sql"}
    with pytest.raises(TemplateError):
        sql.render_one("x.sql", {"schema": "s"})
    (folder / "y.sql").write_text("SELECT 1;")
    assert sql.render_one("y.sql", {}).file == "y.sql"


def test_checks_become_one_select(folder: Path) -> None:
    for name in ("b_two", "a_one"):
        (folder / f"{name}.sql").write_text("SELECT 1 AS figure, 1 AS expected FROM ${schema}.t;")
    found = sql.union_of_checks(["a_one.sql", "b_two.sql"], {"schema": "s"})
    assert isinstance(found, Fragment)
    assert found.count("UNION ALL") == 1
    first, second = (f"CAST('{name}' AS VARCHAR(128)) AS name" for name in ("a_one", "b_two"))
    assert found.index(first) < found.index(second)
    for column in ("definition", "figure", "expected"):
        assert found.count(f" AS {column}") == (2 if column == "definition" else 4)
    assert found.count(f"CAST('{sql.definition('a_one.sql')}' AS VARCHAR(16)) AS definition") == 2
    assert found.count("FROM s.t") == 2
    assert ";" not in found


def test_a_check_that_was_changed_is_another_check(folder: Path) -> None:
    def definition(text: str) -> str:
        (folder / "x.sql").write_text(text)
        sql.read.cache_clear()
        return sql.definition("x.sql")

    before = definition("-- Why.\nSELECT 1 AS figure, 1 AS expected")
    assert re.fullmatch("[0-9a-f]{16}", before)
    assert definition("-- Said better.\nSELECT 1 AS figure, 1 AS expected") == before
    assert definition("-- Why.\nSELECT 2 AS figure, 1 AS expected") != before


def test_a_check_with_a_bad_name_is_refused(folder: Path) -> None:
    (folder / "It's.sql").write_text("SELECT 1 AS figure, 1 AS expected")
    with pytest.raises(TemplateError, match=r"It's\.sql: a check is named by its file"):
        sql.union_of_checks(["It's.sql"], {})


def test_the_files_of_a_folder_in_their_order(folder: Path) -> None:
    for name in ("20_b.sql", "10_c.sql", "readme.md", "deeper/1.sql"):
        (folder / "f" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "f" / name).write_text("")
    assert sql.files("f") == ["f/10_c.sql", "f/20_b.sql"]
    assert sql.files("nothing") == []


def test_an_executions_arn_is_a_literal_as_it_is() -> None:
    assert as_literal(EXECUTION) == EXECUTION
    express = EXECUTION.replace("execution", "express") + ":0a1b2c3d-1111-4111-8111-0a1b2c3d4e5f"
    assert as_literal(express) == express


@given(st.text(max_size=120))
def test_an_execution_may_have_any_name(name: str) -> None:
    """A person gives it: the literal holds no quote and no comment, and still says which execution it was."""
    literal = as_literal(f"arn:{name}")
    assert sql.fits("execution", literal)
    assert unquote(literal) == f"arn:{name}"
    for piece in ("'", '"', "\\", ";", "--", "/*", "\n", "$", " "):
        assert piece not in literal


@pytest.mark.parametrize("name", ["x" * 2000, "é" * 400, "-" * 1500])
def test_a_name_that_is_too_long_is_cut_to_its_column(name: str) -> None:
    literal = as_literal(name)
    assert len(literal.encode()) <= 1024
    assert sql.fits("execution", literal)


@pytest.mark.parametrize(
    ("iso", "literal"),
    [
        ("2026-11-23T20:30:11.123Z", "2026-11-23 20:30:11.123000"),
        ("2026-11-23T20:30:11+00:00", "2026-11-23 20:30:11.000000"),
        ("2026-11-23T20:30:11.123456+02:00", "2026-11-23 18:30:11.123456"),
        ("2026-01-01T00:30:00-01:00", "2026-01-01 01:30:00.000000"),
    ],
)
def test_a_time_is_a_timestamp_in_utc(iso: str, literal: str) -> None:
    assert timestamp(iso) == literal
    assert sql.fits("started_at", literal)


def test_no_time_is_a_timestamp_before_any_event() -> None:
    for name in ("first_start", "last_start"):
        assert sql.fits(name, NO_TIME)
