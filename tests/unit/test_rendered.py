"""Every statement that the loader sends, as the preflight plans them and the lint reads them: none is missing."""

import re

import pytest
from loader import rendered, sql
from loader.dataapi import MAX_STATEMENT_BYTES, MAX_STATEMENTS
from loader.datasets import datasets
from loader.rendered import SAMPLE, Group
from loader.state import Load

from tests.unit.loads import BY_HAND

FILES = {str(path.relative_to(sql.ROOT)) for path in sql.ROOT.rglob("*.sql")}
ADMIN = {
    name for name in FILES if name.startswith("admin/")
}  # the preflight's own, and an administrator's
GROUPS = [*rendered.groups(), *rendered.of_tables()]
STAGED = re.compile(r"sparkify_loader\.(\w+_\d{8}_\d{6}_[0-9a-f]{8}_\w+)")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The files of sql/ that are rendered while the test runs."""
    names: set[str] = set()
    original = sql.read

    def reading(name: str) -> str:
        names.add(name)
        return original(name)

    monkeypatch.setattr(sql, "read", reading)
    return names


def test_no_file_is_missing(read: set[str]) -> None:
    assert set(BY_HAND) <= ADMIN
    rendered.groups()
    rendered.of_tables()
    assert {name for name in read if name.endswith(".sql")} == FILES - ADMIN


def test_every_statement_says_its_file() -> None:
    """A check, and what was staged or published, is part of another file's statement."""
    named = {text.file for group in GROUPS for text in group.statements}
    parts = {
        name
        for name in FILES
        if re.match(r"checks/|datasets/\w+/(checks/|(staged|published)\.sql)", name)
    }
    assert named == FILES - ADMIN - parts
    assert all(isinstance(text, sql.Rendered) for group in GROUPS for text in group.statements)


def test_each_group_has_a_name_and_each_dataset_its_groups() -> None:
    names = [group.name for group in GROUPS]
    assert len(names) == len(set(names))
    for name, dataset in datasets().items():
        assert {f"{what} {name}" for what in ("stage", "publish", "find bad files")} <= set(names)
        assert (f"reload {name}" in names) is dataset.can_reload
        assert (f"undo {name}" in names) is (f"rows of undo {name}" in names) is dataset.can_undo


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_a_group_is_a_batch_that_the_data_api_takes(group: Group) -> None:
    assert 1 <= len(group.statements) <= MAX_STATEMENTS
    for text in group.statements:
        assert "${" not in text
        assert sql.statements(text) == [text]
        assert len(text.encode()) <= MAX_STATEMENT_BYTES
        outside = re.sub(r"'(?:[^']|'')*'", "''", text)
        assert not re.findall(r"(?<!:):[A-Za-z_]\w*", outside)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_the_tables_of_a_group_are_those_that_it_uses_and_does_not_make(group: Group) -> None:
    text = "\n".join(group.statements)
    made = set(re.findall(r"CREATE TABLE sparkify_loader\.(\w+) \(LIKE", text))
    assert set(STAGED.findall(text)) - made == set(group.tables)
    parents = {dataset.stage_table for dataset in datasets().values()}
    assert set(group.tables.values()) <= parents


def test_the_ways_to_publish_are_all_there() -> None:
    by_name = {group.name: "\n".join(group.statements) for group in GROUPS}
    for name in datasets():
        plain, reload = by_name[f"publish {name}"], by_name[f"reload {name}"]
        assert "'replaced'" not in plain
        assert "'replaced'" in reload
        assert "'reload'" in reload
        # As an attempt that may have committed before: what it left goes first.
        assert f"DELETE FROM sparkify.loads\nWHERE load_id = '{SAMPLE['load_id']}'" in plain


def test_the_load_and_its_bucket_are_the_callers() -> None:
    """The preflight's: what it plans reads its own documents."""
    load: Load = {**SAMPLE, "load_id": "20261123-203011-0a1b2c3d", "execution": "arn:It's; x"}
    text = "\n".join(t for g in rendered.groups(load, "s3://mine/{}".format) for t in g.statements)
    assert "s3://work/" not in text
    assert "'s3://mine/loads/20261123-203011-0a1b2c3d/check/ledger.json'" in text
    assert SAMPLE["load_id"] not in text
    assert "'arn:It%27s%3B%20x'" in text
