"""A check that fails publishes nothing, and the report names it with its figure."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.generator import DataSet
from tests.e2e.project import Project

FILES = dict(DataSet(songs=5, users=4, days=1, events=40, seed=5).files())
CHECK = """-- Made to fail, by a test.
SELECT
    COUNT(*) AS figure,
    7 AS expected
FROM {table}
"""


@contextmanager
def added(project: Project, path: str, text: str) -> Iterator[None]:
    """The project with one more SQL file, deployed."""
    file = project.folder / path
    file.write_text(text)
    try:
        project.local("deploy")
        yield
    finally:
        file.unlink()
        project.local("deploy")


@pytest.mark.parametrize(
    ("on", "table"),
    [("staged", "${schema}.${event_stage}"), ("published", "${schema}.songplays")],
)
def test_a_failed_check_publishes_nothing(warehouse: Project, on: str, table: str) -> None:
    with added(warehouse, f"sql/checks/{on}/log_data/made_to_fail.sql", CHECK.format(table=table)):
        warehouse.put(FILES)
        status, report = warehouse.start({"prefixes": ["log_data/"]})
    assert (status, report["status"]) == ("FAILED", "failed")
    assert "made_to_fail" in report["cause"]
    (failed,) = [check for check in report["checks"] if not check["passed"]]
    assert (failed["name"], failed["on"], failed["expected"]) == ("made_to_fail", on, 7)
    assert failed["figure"] not in (None, 7)
    for name in ("songplays", "users", "time", "loads"):
        assert warehouse.query(
            f"SELECT COUNT(*) FROM sparkify.{name} WHERE load_id = '{report['load_id']}'"
        ) == [(0,)]
    assert warehouse.query("SELECT COUNT(*) FROM sparkify.songplays") == [(0,)]
    tables = warehouse.query("SELECT table_name FROM svv_tables WHERE table_schema = 'sparkify'")
    assert not [name for (name,) in tables if name.startswith("event_stage_")]
