"""The pages of docs/ say what the tree says: tables, states, alarms, and nothing that is not there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from loader import sql
from loader.migrations import migrations

from local import state_picture

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
Columns = dict[str, str]

_CREATE = re.compile(r"CREATE TABLE s\.(\w+) \((.*?)\n\)", re.S)
_VIEW = re.compile(r"CREATE (?:OR REPLACE )?VIEW s\.(\w+) AS\s+SELECT(.*?)\sFROM\b", re.S)
_ADD = re.compile(r"ALTER TABLE s\.(\w+)\s+ADD COLUMN (\w+) ([^;]+)")


@pytest.fixture(scope="module")
def page() -> str:
    return (DOCS / "data-model.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made() -> dict[str, Columns]:
    """Table -> column -> type, of all migrations in their order; a view's columns have the types of ''."""
    tables: dict[str, Columns] = {}
    for name in migrations().values():
        for statement in sql.render(name, {"schema": "s"}):
            if found := _CREATE.match(statement):
                columns = re.split(r",\n", found[2].strip())
                tables[found[1]] = dict(_column(line.strip()) for line in columns)
            elif found := _VIEW.match(statement):
                tables[found[1]] = {name.strip(): "" for name in found[2].split(",")}
            elif found := _ADD.match(statement):
                tables[found[1]].update([_column(f"{found[2]} {found[3]}")])
    return tables


def _column(line: str) -> tuple[str, str]:
    name, _, rest = line.partition(" ")
    kind = re.split(r" (?:NOT NULL|DEFAULT|IDENTITY)", rest)[0]
    return name, kind + (", not null" if "NOT NULL" in rest else "")


def described(page: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Each table of the page with the cells of its rows."""
    for section in re.split(r"^### ", page, flags=re.M)[1:]:
        name = section.split("\n", 1)[0].strip("`")
        cells = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in re.split(r"^#", section.split("\n", 1)[1], flags=re.M)[0].splitlines()
            if line.startswith("| `")
        ]
        yield name, cells


def test_the_data_model_has_every_table_and_column_and_no_other(
    page: str, made: dict[str, Columns]
) -> None:
    shown = {
        name: {row[0].strip("`"): row[1] for row in rows} for name, rows in described(page)
    }
    assert len(made) > 15
    assert list(shown) == list(dict.fromkeys(shown))
    assert {name: list(columns) for name, columns in shown.items()} == {
        name: list(made[name]) for name in shown
    }, "columns, in the order of the migrations"
    assert set(shown) == set(made)
    for name, columns in made.items():
        if any(columns.values()):
            assert shown[name] == columns, name


def test_a_view_has_the_types_of_its_table(page: str, made: dict[str, Columns]) -> None:
    rows = dict(described(page))["file_status"]
    assert {row[0].strip("`"): row[1] for row in rows} == {
        name: made["files"][name].removesuffix(", not null") for name in made["file_status"]
    }


def test_the_data_model_says_what_each_column_means(page: str) -> None:
    for name, rows in described(page):
        assert all(len(row) == 4 and row[2] for row in rows), name


def test_the_sources_of_events_are_the_jsonpaths(page: str) -> None:
    copy = sql.read("datasets/log_data/copy.sql")
    columns = re.findall(r"\w+", copy.split("(", 1)[1].split(")", 1)[0])
    paths = json.loads(sql.read("datasets/log_data/jsonpaths.json"))["jsonpaths"]
    keys = [re.fullmatch(r"\$\['(\w+)'\]", path)[1] for path in paths]  # type: ignore[index]
    rows = dict(described(page))["event_stage"]
    assert {row[0].strip("`"): row[3].strip("`") for row in rows} == dict(
        zip(columns, keys, strict=True)
    )


def test_the_sources_of_songs_are_their_columns(page: str) -> None:
    assert all(row[0] == row[3] for row in dict(described(page))["song_stage"])


def test_the_picture_of_the_data_model_has_only_what_is_there(
    page: str, made: dict[str, Columns]
) -> None:
    (picture,) = re.findall(r"```mermaid\nerDiagram\n(.*?)```", page, re.S)
    entities = re.findall(r"^    (\w+) \{\n(.*?)^    \}", picture, re.M | re.S)
    assert [name for name, _ in entities] == ["songplays", "users", "songs", "artists", "time"]
    for name, attributes in entities:
        for kind, column in re.findall(r"^ +(\w+) (\w+)", attributes, re.M):
            assert made[name][column].startswith(kind), f"{name}.{column}"
