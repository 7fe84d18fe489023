"""The workflows for those who fork the project: pinned actions, the project's own targets, environments that exist."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = [*GITHUB.rglob("*.yml")]
PREFLIGHT = GITHUB / "actions" / "deploy" / "preflight.sh"


def read(name: str) -> Any:
    return yaml.safe_load((GITHUB / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.relative_to(GITHUB)))
def test_actions_of_others_are_pinned_by_their_commit(path: Path) -> None:
    for used in re.findall(r"uses: (.+)", path.read_text(encoding="utf-8")):
        if used.startswith("./"):
            assert (ROOT / used).exists()
        else:
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used


def test_ci_runs_what_the_project_says_on_the_oldest_and_the_newest_python() -> None:
    job = read("workflows/ci.yml")["jobs"]["test"]
    ours = re.findall(r"^make .+", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.M)
    assert [step["run"] for step in job["steps"] if "run" in step] == ours
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    runtime = re.search(r"Runtime: python(\S+)", (ROOT / "template.yaml").read_text("utf-8"))
    assert runtime
    versions = job["strategy"]["matrix"]["python"]
    assert [f">={versions[0]}", versions[-1]] == [project["requires-python"], runtime[1]]


def test_every_week_runs_what_takes_too_long_for_each_change() -> None:
    targets = read("workflows/weekly.yml")["jobs"]["long"]["strategy"]["matrix"]["target"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"faults", "mutants"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target.split()[0]}:", makefile, re.M), target


def test_prod_comes_after_dev_and_dev_after_the_tests() -> None:
    jobs = read("workflows/deploy.yml")["jobs"]
    assert [(name, job.get("needs")) for name, job in jobs.items()] == [
        ("test", None),
        ("dev", "test"),
        ("prod", "dev"),
    ]
    condition = jobs["test"]["if"]
    assert "vars.DEPLOY == 'true'" in condition
    assert "github.ref == 'refs/heads/main'" in condition
    samconfig = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    for name in ("dev", "prod"):
        assert jobs[name]["environment"] == name
        assert jobs[name]["permissions"] == {"contents": "read", "id-token": "write"}
        assert jobs[name]["steps"][-1]["with"]["config-env"] in samconfig


def test_nothing_of_an_event_or_a_setting_becomes_text_of_a_script() -> None:
    for path in WORKFLOWS:
        for script in re.findall(r"run: (\|\n(?: {8,}.*\n?)+|.*)", path.read_text("utf-8")):
            assert "${{" not in script


@pytest.mark.parametrize(
    ("status", "code"), [("SUCCEEDED", 0), ("FAILED", 1), ("TIMED_OUT", 1), ("ABORTED", 1)]
)
def test_the_preflight_of_a_deployment_ends_as_its_execution(
    tmp_path: Path, status: str, code: int
) -> None:
    """An aws that answers as AWS does: the execution runs at the first look, and has ended at the second."""
    (tmp_path / "aws").write_text(
        f"""#!/usr/bin/env bash
echo "$*" >>{tmp_path}/calls
case "$*" in
*describe-stacks*) echo arn:of:machine ;;
*start-execution*) echo arn:of:execution ;;
*"--query status"*) if [ -e {tmp_path}/looked ]; then echo {status}; else touch {tmp_path}/looked; echo RUNNING; fi ;;
*) echo '["{status}"]' ;;
esac
"""
    )
    (tmp_path / "sleep").write_text("#!/bin/sh\n")
    for name in ("aws", "sleep"):
        (tmp_path / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ended = subprocess.run(
        ["bash", str(PREFLIGHT), "prod"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    calls = (tmp_path / "calls").read_text().splitlines()
    assert ended.returncode == code, ended.stderr
    assert f'["{status}"]' in ended.stdout
    assert "--stack-name s3-redshift-loader-prod " in calls[0]
    assert '--state-machine-arn arn:of:machine --input {"check": true}' in calls[1]
    assert len(calls) == 5


def test_the_preflight_can_be_run() -> None:
    assert os.access(PREFLIGHT, os.X_OK)
