"""make verify STACK=local, as a person runs it: the same path as on AWS, with some of the cases and questions."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.generator import DataSet
from tests.world.deployed import ROOT, Project
from verify.data import STEPS
from verify.probes import read_probes

PLANTED = """
title = "Planted"
page = "https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_reference.html"
[[case]]
name = "two is three"
setup = ["CREATE TABLE t (a INT)", "INSERT INTO t VALUES (2)"]
sql = "SELECT a FROM t"
rows = [[3]]
"""


def verify(project: Project, out: Path, *words: str) -> tuple[int, str, dict[str, Any]]:
    """Its exit code, what it printed, and its JSON document; it runs in the repository, not in the copy."""
    ended = subprocess.run(
        [sys.executable, "-m", "verify", "--stack", "local", "--yes", "--out", str(out), *words],
        cwd=ROOT,
        env={**os.environ, **project.variables},
        capture_output=True,
        text=True,
        check=False,
    )
    print(ended.stdout, ended.stderr)
    documents = sorted(out.glob("*.json"))
    document = json.loads(documents[-1].read_text(encoding="utf-8")) if documents else {}
    return ended.returncode, ended.stdout + ended.stderr, document


def test_a_planted_difference_is_on_the_page_and_nothing_is_left(
    warehouse: Project, tmp_path: Path
) -> None:
    planted = tmp_path / "planted" / "planted.toml"
    planted.parent.mkdir()
    planted.write_text(PLANTED, encoding="utf-8")
    before = set(warehouse.query("SELECT nspname FROM pg_namespace"))
    some = ("--cases", "copy/json_loads", "--limit", "6", "--probe", "LOCK")
    code, printed, document = verify(warehouse, tmp_path, *some, "--more", str(planted))

    assert code == 1
    found = {result["id"]: result for result in document["results"]}
    wrong = found["planted/planted: two is three"]
    assert (wrong["outcome"], wrong["expected"], wrong["got"]) == ("other", "[[3]]", "[[2]]")
    (page,) = tmp_path.glob("*.md")
    shown = page.read_text(encoding="utf-8")
    for told in ("proves the plumbing", "### planted/planted: two is three", "[[3]]", "[[2]]"):
        assert told in shown
    assert shown in printed
    others = {name for name, result in found.items() if result["outcome"] != "as expected"}
    assert {name for name in others if not name.startswith("preflight: ")} == {wrong["id"]}
    assert len([name for name in found if name.startswith("copy/json_loads: ")]) == 6
    assert len([name for name in found if name.startswith("LOCK")]) == 2
    assert sum(name.startswith("preflight: ") for name in found) > 5
    assert {f"data: {step}" for step in STEPS} <= set(found)

    assert set(warehouse.query("SELECT nspname FROM pg_namespace")) == before
    assert not any(warehouse.star().values())
    for bucket in (warehouse.bucket, warehouse.outputs["WorkBucketName"]):
        listed = warehouse.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
        assert not [entry["Key"] for entry in listed if "loader-verify" in entry["Key"]]
    code, printed, _ = verify(warehouse, tmp_path, "--clean")
    assert (code, "Nothing is left" in printed) == (0, True)


def test_of_the_questions_only_known_gaps_are_answered_otherwise(
    warehouse: Project, tmp_path: Path
) -> None:
    """A gap that the local AWS no longer has is to be taken out of probes.toml."""
    code, _, document = verify(warehouse, tmp_path, "--only", "probes")
    otherwise = {
        result["id"]: result["outcome"]
        for result in document["results"]
        if result["outcome"] != "as expected"
    }
    assert otherwise == {probe.id: "as noted" for probe in read_probes() if probe.local}
    assert code == 0


def test_data_of_a_person_is_not_mixed_with_its_own(warehouse: Project, tmp_path: Path) -> None:
    files = dict(DataSet(songs=2, users=2, days=1, events=20, seed=3).files())
    warehouse.load(files)
    ledger, star = warehouse.ledger_rows(), warehouse.star()
    code, _, document = verify(warehouse, tmp_path, "--only", "data")
    assert code == 2
    assert {result["outcome"] for result in document["results"]} == {"not possible"}
    assert warehouse.ledger_rows() == ledger

    consent = "--yes-this-stack-holds-only-test-data"
    code, _, document = verify(warehouse, tmp_path, "--only", "data", consent)
    assert [r for r in document["results"] if r["outcome"] != "as expected"] == []
    assert code == 0
    left = {name: sorted(rows, key=repr) for name, rows in warehouse.star().items()}
    assert left == {name: sorted(rows, key=repr) for name, rows in star.items()}


def test_clean_leaves_a_load_that_holds_a_file_of_a_person(
    warehouse: Project, tmp_path: Path
) -> None:
    """As when an upload falls into the batch window of a run that was killed."""
    files = dict(DataSet(songs=2, users=2, days=1, events=20, seed=3).files())
    (log,) = [key for key in files if key.startswith("log_data/")]
    warehouse.load({**files, "log_data/loader-verify-gone/a.json": files[log]})
    star, ledger = warehouse.star(), warehouse.ledger_rows()
    code, printed, _ = verify(warehouse, tmp_path, "--clean")
    assert code == 1
    assert (
        f"{len(files) + 1} files, not undone: {len(files)} of its {len(files) + 1} files" in printed
    )
    assert "Removed: 1 objects" in printed
    assert "Not removed: load " in printed
    assert (warehouse.star(), warehouse.ledger_rows()) == (star, ledger)
