"""The SQL templates: what a placeholder takes, how a file is split, which parameters are sent."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from loader import sql
from loader.sql import Fragment, TemplateError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty sql/."""
    monkeypatch.setattr(sql, "ROOT", tmp_path)
    return tmp_path


def rendered(folder: Path, text: str, **names: str) -> list[str]:
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
    assert rendered(folder, text, schema="s") == [
        "SELECT ';', '--', \"a;b\"\nFROM s.t",
        "SELECT 2",
    ]


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
    ],
)
def test_a_placeholder_refuses_the_rest_by_its_name(folder: Path, name: str, value: str) -> None:
    with pytest.raises(TemplateError, match=rf"x\.sql: \$\{{{name}\}} must not be"):
        rendered(folder, f"A ${{{name}}}", **{name: value})


def test_an_unknown_placeholder_is_refused_by_its_name(folder: Path) -> None:
    with pytest.raises(TemplateError, match=r"uses \$\{tabel\}, .* offered: schema, stage_table"):
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


@pytest.mark.parametrize(
    ("texts", "used"),
    [
        (["SELECT 1"], {}),
        (["SELECT :a"], {"a": "1"}),
        (["SELECT CAST(:a AS BIGINT)", "SELECT :b, :a"], {"a": "1", "b": "2"}),
        (["SELECT ':a', \":b\" -- :a\n/* :b */"], {}),
        (["SELECT a::b, '12:30'"], {}),
        (["SELECT 'it''s :a', :b"], {"b": "2"}),
    ],
)
def test_only_parameters_that_a_statement_uses_are_sent(
    texts: list[str], used: dict[str, str]
) -> None:
    assert sql.parameters_used(texts, {"a": "1", "b": "2"}) == used


def test_a_parameter_without_a_value_is_named() -> None:
    with pytest.raises(TemplateError, match=r":c has no value here; offered: a"):
        sql.parameters_used(["SELECT :a, :c"], {"a": "1"})


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
