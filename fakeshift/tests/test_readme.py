"""What fakeshift/README.md shows works, in another folder than this repository."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from test_clients import exported

from fakeshift import LocalRedshift

ROOT = Path(__file__).parents[2]
README = (ROOT / "fakeshift" / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


def environment() -> dict[str, str]:
    """This process's, with this repository on Python's path, without what AWS's clients read."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**given, "PYTHONPATH": str(ROOT)}


def test_the_fixture_for_tests(tmp_path: Path) -> None:
    (block,) = blocks("python")
    (tmp_path / "test_mine.py").write_text(block)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert "1 passed" in ended.stdout, ended.stdout + ended.stderr


def test_from_another_folder(tmp_path: Path) -> None:
    """Its data is in a folder there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fakeshift", "--port", "0"],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert line.startswith("local Redshift on http://127.0.0.1:")
    assert line.endswith("data in .local/redshift\n")
    assert (tmp_path / ".local" / "redshift" / "warehouse.duckdb").exists()


def test_the_variables_are_those_of_the_help() -> None:
    lines = "\n".join(re.findall(r"^\$ export (.*)$", README, re.M)).split()
    assert dict(word.split("=", 1) for word in lines) == exported()


def test_the_profile(
    module_server: LocalRedshift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    (block,) = blocks("ini")
    config = tmp_path / "config"
    config.write_text(block.replace("http://127.0.0.1:4567", module_server.url))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    session = boto3.Session(profile_name="local", aws_access_key_id="me", aws_secret_access_key="x")
    client = session.client("redshift-data")
    assert client.meta.region_name == "us-west-2"
    assert client.list_databases(WorkgroupName="local", Database="dev")["Databases"] == ["dev"]


def test_the_files_are_those_that_there_are(module_server: LocalRedshift) -> None:
    named = set(re.findall(r"`([a-z-]+\.(?:duckdb|sqlite|jsonl))`", README))
    data = module_server.settings.data
    there = {
        path.name for path in data.iterdir() if path.suffix in (".duckdb", ".sqlite", ".jsonl")
    }
    assert named == there
