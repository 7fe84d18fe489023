"""A dataset.yaml is read, or refused by file, line and field, with what is allowed."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts import conditions, paths
from contracts.document import ContractError, Document
from contracts.model import Contract, HandWritten
from contracts.reading import OWN_TABLES, parse, read
from contracts.types import Type
from tests.world.simulator import ROOT

BASE = {
    "description": "description: what it is",
    "files": "files: orders/*.jsonl",
    "columns": "columns: {id: varchar(9), at: timestamp, n: integer, doc: super, f: real}",
}
BLOCKS = (Path(__file__).parent / "refused.txt").read_text(encoding="utf-8").split("\n\n")[1:]
REFUSED = [tuple(block.strip("\n").split("\n=> ")) for block in BLOCKS]
BY_HAND = "sql: true\nstage_table: order_stage"


def text_of(fields: str) -> str:
    """A dataset.yaml that begins with these fields, and has BASE's others (not if these are no fields)."""
    said = set(re.findall(r"^(\w+):", fields, re.M))
    return "\n".join([fields, *(t for n, t in BASE.items() if said and n not in said)])


def contract(fields: str, name: str = "orders") -> Contract:
    found = parse(text_of(fields), name, Path("dataset.yaml"))
    assert isinstance(found, Contract)
    return found


def refusal(text: str, name: str = "orders") -> str:
    with pytest.raises(ContractError) as raised:
        parse(text, name, Path("dataset.yaml"))
    return str(raised.value)


@pytest.mark.parametrize(("fields", "message"), REFUSED, ids=[f"{r[1][:50]}" for r in REFUSED])
def test_it_is_refused_by_line_and_field(fields: str, message: str) -> None:
    said = refusal(text_of(fields))
    if message.endswith(" …"):
        assert said.startswith(f"dataset.yaml:{message[:-2]}")
    else:
        assert said == f"dataset.yaml:{message}"


def test_every_refusal_of_the_modules_is_among_them() -> None:
    """Each text that the modules raise is seen: the words before its first value."""
    seen = "\n".join(message for _, message in REFUSED) + Path(__file__).read_text("utf-8")
    unseen = []
    for module in ("reading", "document", "types", "paths", "conditions"):
        source = (ROOT / "contracts" / f"{module}.py").read_text(encoding="utf-8")
        raised = re.findall(
            r"(?:_error|\.error|Refused|ContractError)\(\s*(?:\[[^]]*\],|field,|at,|\(\),)?\s*f?([\"'])(.*?)\1",
            source,
            re.S,
        )
        assert raised
        for _, text in raised:
            parts = [part.strip() for part in re.split(r"\{[^}]*\}", text)]
            longest = max(parts, key=len)
            if (
                longest.lstrip(": ")[:16] not in seen and "rstrip" not in text
            ):  # where all messages are made
                unseen.append(f"{module}: {text}")
    assert not unseen


OTHERS = [
    ("description: \x01", "orders", "1: this is not YAML: unacceptable character #x0001"),
    (text_of("key: [n]\nnewest: at"), "Orders", "1: the folder's name 'Orders' becomes the name of a table"),
    (text_of("unknown: report"), "a" * 39, "1: the folder's name"),
    (text_of("unknown: report"), "a__b", "1: the folder's name"),
    (text_of("unknown: report"), "files", "1: the loader has a table files of its own; give the folder"),
    (text_of("unknown: report"), "order", "1: order is a reserved word of SQL, which no table is called; give the"),
    (
        text_of("tables: {items: {each: items, columns: {x: integer}}}"),
        "items_versions",
        "1: tables.items: the dataset or the loader has a table of this name",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "message"), OTHERS, ids=range(len(OTHERS)))
def test_other_files_and_names_are_refused(text: str, name: str, message: str) -> None:
    assert refusal(text, name).startswith(f"dataset.yaml:{message}")


HAND_WRITTEN = [
    ("sql: true", "1: stage_table is missing"),
    ("sql: true\nstage_table: No", '2: stage_table: "No" is not allowed: it must match'),
    (f"{BY_HAND}\nkey: id", "3: key: this field does not go with sql: true; allowed are sql,"),
    (f"{BY_HAND}\nheader: [7]", "3: header[0]: 7 is not allowed; it must be a text"),
    (f"{BY_HAND}\nheader: []", "3: header: it must not be empty"),
]


@pytest.mark.parametrize(("fields", "message"), HAND_WRITTEN, ids=range(len(HAND_WRITTEN)))
def test_a_dataset_of_sql_has_other_fields(fields: str, message: str) -> None:
    said = refusal(f"{fields}\ndescription: d\nfiles: o/*.csv")
    assert said.startswith(f"dataset.yaml:{message}")


def test_a_dataset_of_sql_is_read() -> None:
    text = (
        f"{BY_HAND}\ndescription: d\nfiles: [o/*.csv, o/*.txt]\nfact_table: orders\nheader: [a, b]"
    )
    found = parse(text, "orders", Path("x"))
    assert found == HandWritten(
        "orders", "d", "o/", (".csv", ".txt"), "order_stage", "orders", ("a", "b")
    )


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "orders" / "dataset.yaml"
    path.parent.mkdir()
    path.write_bytes(b"description: d\nfiles: \xe9\n")
    with pytest.raises(ContractError, match=r"^here:2: this is not UTF-8"):
        read(path, shown="here")


def test_the_loaders_own_tables_are_those_of_its_migrations() -> None:
    create = re.compile(r"CREATE (?:OR REPLACE )?(?:TABLE|VIEW) \$\{schema\}\.(\w+)")
    made = {
        name
        for path in (ROOT / "sql" / "migrations").glob("*.sql")
        for name in create.findall(path.read_text(encoding="utf-8"))
    }
    assert made
    assert made <= set(OWN_TABLES)


# -- what is read ------------------------------------------------------------------------------


def test_words_of_yaml_1_1_are_names() -> None:
    """on, off, yes, no, y and n are words of YAML 1.1 and names in 1.2; null is a name in quotes."""
    found = contract(
        "key: [on, no]\nnewest: off\n"
        'columns: {on: integer, off: timestamp, yes: real, no: date, y: integer, n: date, "null": integer, true: date}'
    )
    assert [column.name for column in found.columns] == [
        "on", "off", "yes", "no", "y", "n", "null", "true",
    ]  # fmt: skip
    assert (found.key, found.newest) == (("on", "no"), "off")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("Off", "Off"), ("true", True), ("TRUE", True), ("~", None), ("", None),
        ("'null'", "null"), ("2026-11-28", "2026-11-28"), ("12:30", "12:30"), ("1_000", "1_000"), ("0x1F", "0x1F"),
        ("0o17", "0o17"), ("007", "007"), ("7", 7), ("-7", -7), ("1.5", 1.5), ("1e3", 1000.0), ("01.5", "01.5"),
        ("=", "="), ("|\n  a\n  b", "a\nb"), ("<<", "<<"),
    ],
)  # fmt: skip
def test_plain_words_are_read_as_in_yaml_1_2(text: str, value: Any) -> None:
    found = Document(Path("x"), f"a: {text}", "x").value["a"]
    assert (found, type(found)) == (value, type(value))


def test_a_contract_has_what_its_file_says() -> None:
    found = contract(
        """\
files: [orders/*.jsonl, orders/*.json.gz]
key: order_id
newest: updated_at
columns:
  order_id: VARCHAR( 64 )
  updated_at: {type: timestamp, format: epoch_milliseconds}
  email: {path: 'customer["e-mail"]', type: varchar(9), mask: hash}
  note: {type: varchar(9), too_long: truncate}
  repo: {path: [repo.full_name, repo.name], type: text varying}
  secret: {type: int, mask: drop}
  day: {type: date, from_key: dt}
tables: {items: {each: a.items, columns: {tag: {path: ., type: varchar(9)}, first: {path: "x[0].y", type: bool}}}}
deleted: {secret2: [1, 2]}
bad_rows: {row: {max: 7, percent: 0.5}}
history: true
checks: {items.tag: [not null, "in (a, 'b, c')"], email2: unique}
expect: {every: 12h}
unknown: reject""".replace("text varying", "character varying(7)")
        .replace("secret2", "order_id")
        .replace("email2", "order_id")
    )
    assert found.endings == (".jsonl", ".json")
    assert ".json.zst" in found.suffixes
    by_name = {column.name: column for column in found.columns}
    assert [str(path) for path in by_name["repo"].paths] == ["repo.full_name", "repo.name"]
    assert by_name["email"].paths[0].jsonpath == "$['customer']['e-mail']"
    assert (by_name["email"].mask, by_name["email"].truncate) == ("hash", False)
    assert (by_name["note"].mask, by_name["note"].truncate) == ("", True)
    assert str(by_name["email"].stored) == "VARCHAR(64)"
    assert (by_name["day"].paths, by_name["day"].from_key) == ((), "dt")
    assert [column.name for column in found.kept] == [
        "order_id", "updated_at", "email", "note", "repo", "day",
    ]  # fmt: skip
    assert [str(path) for column in found.children[0].columns for path in column.paths] == [
        ".", "x[0].y",
    ]  # fmt: skip
    assert found.deleted == (("order_id", ("'1'", "'2'")),)
    assert (found.bad_rows.most, found.bad_rows.percent, found.bad_rows.by_row) == (7, 0.5, True)
    assert (found.every, found.unknown, found.history) == (timedelta(hours=12), "reject", True)
    assert [(t.child, t.column, t.condition.operator) for t in found.tests] == [
        ("items", "tag", "not null"), ("items", "tag", "in"), ("", "order_id", "unique"),
    ]  # fmt: skip
    assert found.tests[1].condition.operands == ("'a'", "'b, c'")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("int4", "INTEGER"), ("Numeric(5)", "DECIMAL(5, 0)"), ("decimal( 12 , 2 )", "DECIMAL(12, 2)"),
        ("float", "DOUBLE PRECISION"), ("double  precision", "DOUBLE PRECISION"), ("character(3)", "CHAR(3)"),
        ("timestamp without time zone", "TIMESTAMP"), ("SUPER", "SUPER"), ("bool", "BOOLEAN"),
    ],
)  # fmt: skip
def test_types_have_aliases(text: str, shown: str) -> None:
    assert str(Type.parse(text)) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a.b", "$['a']['b']"), ('a["b.c"].d', "$['a']['b.c']['d']"), ("a-b.ü", "$['a-b']['ü']"),
        ('["a b"]', "$['a b']"), ("a[ 12 ]", "$['a'][12]"),
    ],
)  # fmt: skip
def test_a_path_is_read_and_written(text: str, shown: str) -> None:
    path = paths.parse(text)
    assert path.jsonpath == shown
    assert paths.parse(str(path)) == path


@pytest.mark.parametrize(
    ("text", "kind", "violated"),
    [
        ("not  NULL", "integer", "c IS NULL"), (">= 1", "integer", "c < 1"), ("== 1.50", "decimal(5,2)", "c <> 1.50"),
        ("<> -3", "bigint", "c = -3"), ("between 1 and 9", "integer", "(c < 1 OR c > 9)"), ("< 5", "real", "c >= 5"),
        ("in (a, 'it''s', \"x, y\")", "varchar(9)", "c NOT IN ('a', 'it''s', 'x, y')"),
        ("not in (1,2)", "smallint", "c IN (1, 2)"), ("= TRUE", "boolean", "c <> TRUE"),
        ("> 2026-11-28", "date", "c <= DATE '2026-11-28'"),
        ("between 2026-11-28 and 2026-11-29T07:00", "timestamp",
         "(c < TIMESTAMP '2026-11-28 00:00:00' OR c > TIMESTAMP '2026-11-29 07:00:00')"),
        ("= a' OR 1 = 1 --", "varchar(9)", "c <> 'a'' OR 1 = 1 --'"),
    ],
)  # fmt: skip
def test_a_check_becomes_a_condition(text: str, kind: str, violated: str) -> None:
    assert conditions.parse(text, Type.parse(kind)).violated("c") == violated


def test_the_schema_is_what_editors_can_read() -> None:
    """It checks itself with the draft that it names, and each field says what it is."""
    import json

    import jsonschema

    schema = json.loads((ROOT / "contracts" / "dataset.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert all("description" in field for field in schema["properties"].values())
