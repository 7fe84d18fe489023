"""The tables' versions are the numbered files, without gaps."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from loader import sql
from loader.migrations import latest_version, migrations


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sql, "ROOT", tmp_path)
    (tmp_path / "migrations").mkdir()
    migrations.cache_clear()
    yield tmp_path / "migrations"
    migrations.cache_clear()


@pytest.mark.parametrize(
    ("files", "latest"),
    [
        ([], 0),
        (["001_create.sql", "drop.sql", "version.sql"], 1),
        (["002_b.sql", "001_a.sql", "003_c.sql", "readme.md"], 3),
    ],
)
def test_versions(folder: Path, files: list[str], latest: int) -> None:
    for name in files:
        (folder / name).write_text("")
    assert latest_version() == latest


@pytest.mark.parametrize("files", [["002_b.sql"], ["001_a.sql", "003_c.sql"], ["000_a.sql"]])
def test_a_gap_is_refused(folder: Path, files: list[str]) -> None:
    for name in files:
        (folder / name).write_text("")
    with pytest.raises(sql.TemplateError, match="numbered from 001 without gaps"):
        migrations()


def test_the_newest_migration_writes_its_own_version() -> None:
    for version, name in migrations().items():
        last = sql.render(name, {"schema": "s"})[-1]
        assert last == f"INSERT INTO s.schema_version (version) VALUES ({version})"


def test_no_key_is_declared() -> None:
    """Redshift enforces none, but plans as if they held: the checks could not see that they do not."""
    for name in migrations().values():
        text = " ".join(sql.render(name, {"schema": "s"})).upper()
        for words in ("PRIMARY KEY", "FOREIGN KEY", "UNIQUE", "REFERENCES"):
            assert words not in text


def test_what_is_recorded_has_the_time_of_its_statement() -> None:
    """SYSDATE is when the transaction began, which may have waited for the lock since."""
    text = " ".join(sql.render(migrations()[1], {"schema": "s"}))
    assert "SYSDATE" not in text.upper()
    assert text.count("recorded_at TIMESTAMP NOT NULL DEFAULT GETDATE()") > 0
