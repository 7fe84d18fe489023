"""A check that fails publishes nothing, and the report names it with its figure."""

import time
from collections.abc import Iterator

import pytest

from local.generator import DataSet
from tests.e2e.project import Project

FILES = dict(DataSet(songs=5, users=4, days=3, events=60, seed=5).files())
SEVEN = dict(DataSet(songs=5, users=4, days=1, events=7, seed=5).files())
CHECK = """-- Made to fail, by a test.
SELECT
    COUNT(*) AS figure,
    {expected} AS expected
FROM {table}
"""
PLACES = {"staged": ("${loader_schema}.${event_stage}", 7), "published": ("${schema}.songplays", 8)}


@pytest.fixture(scope="module")
def checks(project: Project) -> Iterator[None]:
    """A check that fails at each place, on staging but for seven rows; deployed without them at the end."""
    added = []
    for on, (table, expected) in PLACES.items():
        added.append(project.folder / "sql" / "checks" / on / "log_data" / f"made_to_fail_{on}.sql")
        added[-1].write_text(CHECK.format(table=table, expected=expected))
    project.local("deploy")
    yield
    for path in added:
        path.unlink()
    project.local("deploy")


@pytest.mark.parametrize(("on", "files"), [("staged", FILES), ("published", SEVEN)], ids=PLACES)
def test_a_failed_check_publishes_nothing(
    warehouse: Project, checks: None, on: str, files: dict[str, bytes]
) -> None:
    with warehouse.no_events():
        warehouse.put(files)
    status, report = warehouse.start({"prefixes": ["log_data/"]})
    assert (status, report["status"]) == ("FAILED", "failed")
    assert "made_to_fail" in report["cause"]
    (failed,) = [check for check in report["checks"] if not check["passed"]]
    assert (failed["name"], failed["on"], failed["expected"]) == (
        f"made_to_fail_{on}",
        on,
        PLACES[on][1],
    )
    assert failed["figure"] not in (None, PLACES[on][1])
    for name in ("songplays", "users", "time"):
        assert warehouse.query(f"SELECT COUNT(*) FROM sparkify.{name}") == [(0,)], name
    # A check on staging that has never passed judges no file: they wait.
    statuses = warehouse.query(
        "SELECT status, COUNT(*) FROM sparkify.files WHERE dataset = 'log_data' GROUP BY status"
    )
    logs = sum(key.startswith("log_data/") for key in files)
    assert statuses == ([("waiting", logs)] if on == "staged" else [])
    deadline = time.monotonic() + 30
    while staging_tables(warehouse, report["load_id"]) and time.monotonic() < deadline:
        time.sleep(0.5)  # they are dropped after the end
    assert not staging_tables(warehouse, report["load_id"])


def staging_tables(warehouse: Project, load_id: str) -> list[str]:
    return [name for name in warehouse.staging_tables() if load_id.replace("-", "_") in name]
