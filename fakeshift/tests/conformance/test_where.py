"""Which cases may run against a real Redshift, by the rule of ``model.default_where``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance import model
from conformance.model import WHERE, Case, default_where, read_topics


def case(**given: Any) -> Case:
    return Case(area="sql", topic="t", name="n", page="https://docs.aws.amazon.com", **given)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"setup": ["CREATE TABLE t (a INT)"], "sql": "SELECT * FROM t"}, "portable"),
        ({"sql": "SELECT current_database()", "rows": [["${database}"]]}, "portable"),
        ({"sql": "SELECT current_database()", "rows": [["dev"]]}, "local"),
        ({"sql": "SELECT 'developer'"}, "portable"),
        ({"sql": "CREATE MODEL m", "status": "refused", "note": "n"}, "local"),
        ({"setup": ["CREATE USER u PASSWORD DISABLE"], "sql": "SELECT 1"}, "superuser"),
        ({"batch": ["create  group g", "select 1"]}, "superuser"),
        ({"sql": "SELECT size FROM svv_table_info"}, "superuser"),
        ({"call": "ExecuteStatement", "request": {"ClusterIdentifier": "one"}}, "local"),
        ({"call": "ExecuteStatement", "request": {"Sql": "SELECT 1"}}, "portable"),
        ({"sql": "SELECT current_user", "rows": [["IAM:AKIATEST"]]}, "local"),
    ],
)
def test_where_a_case_runs_follows_from_what_it_uses(given: dict[str, Any], where: str) -> None:
    assert default_where(case(**given)) == where


def test_a_case_that_reads_or_writes_s3_says_so() -> None:
    assert case(sql="COPY t FROM 's3://${bucket}/a' IAM_ROLE '${role}'").needs_s3
    assert case(sql="SELECT 1", objects={"a": "x"}).needs_s3
    assert not case(sql="SELECT '${schema}'").needs_s3


def test_a_file_and_a_case_may_say_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "sql"
    folder.mkdir()
    text = 'title = "T"\npage = "p"\nwhere = "superuser"\n[[case]]\nname = "a"\nsql = "SELECT 1"\n'
    text += 'rows = [[1]]\n[[case]]\nname = "b"\nwhere = "local"\nsql = "SELECT 1"\nrows = [[1]]\n'
    (folder / "t.toml").write_text(text)
    monkeypatch.setattr(model, "HERE", tmp_path)
    (topic,) = read_topics()
    assert [one.where for one in topic.cases] == ["superuser", "local"]
    (folder / "t.toml").write_text(text.replace("superuser", "anywhere"))
    with pytest.raises(ValueError, match="a known place to run"):
        read_topics()


def test_most_cases_are_portable() -> None:
    cases = [one for topic in read_topics() for one in topic.cases]
    count = {where: sum(one.where == where for one in cases) for where in WHERE}
    assert count["portable"] > 0.8 * len(cases), count
