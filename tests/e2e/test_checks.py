"""A check that fails publishes nothing, and the report names it with its figure."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.generator import DataSet
from tests.e2e.project import Project

FILES = dict(DataSet(songs=5, users=4, days=3, events=60, seed=5).files())
CHECK = """-- Made to fail, by a test.
SELECT
    COUNT(*) AS figure,
    7 AS expected
FROM {table}
"""


@pytest.fixture(scope="module")
def checks(project: Project) -> Iterator[Path]:
    """The project's checks, to add to; deployed without additions at the end."""
    folder = project.folder / "sql" / "checks"
    before = set(folder.rglob("*.sql"))
    yield folder
    for added in set(folder.rglob("*.sql")) - before:
        added.unlink()
    project.local("deploy")


@pytest.mark.parametrize(
    ("on", "table"),
    [("staged", "${schema}.${event_stage}"), ("published", "${schema}.songplays")],
)
def test_a_failed_check_publishes_nothing(
    warehouse: Project, checks: Path, on: str, table: str
) -> None:
    added = checks / on / "log_data" / "made_to_fail.sql"
    added.write_text(CHECK.format(table=table))
    warehouse.local("deploy")
    warehouse.put(FILES)
    status, report = warehouse.start({"prefixes": ["log_data/"]})
    added.unlink()
    assert (status, report["status"]) == ("FAILED", "failed")
    assert "made_to_fail" in report["cause"]
    (failed,) = [check for check in report["checks"] if not check["passed"]]
    assert (failed["name"], failed["on"], failed["expected"]) == ("made_to_fail", on, 7)
    assert failed["figure"] not in (None, 7)
    for name in ("songplays", "users", "time"):
        assert warehouse.query(f"SELECT COUNT(*) FROM sparkify.{name}") == [(0,)], name
    ledger = warehouse.query("SELECT COUNT(*) FROM sparkify.files WHERE dataset = 'log_data'")
    assert ledger == [(0,)]
    deadline = time.monotonic() + 30
    while staging_tables(warehouse, report["load_id"]) and time.monotonic() < deadline:
        time.sleep(0.5)  # they are dropped after the end
    assert not staging_tables(warehouse, report["load_id"])


def staging_tables(warehouse: Project, load_id: str) -> list[str]:
    tables = warehouse.query("SELECT table_name FROM svv_tables WHERE table_schema = 'sparkify'")
    return [name for (name,) in tables if load_id.replace("-", "_") in name]
