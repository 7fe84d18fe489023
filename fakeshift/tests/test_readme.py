"""What README.md and docs/using.md show works word for word, in another folder than this repository."""

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

FOLDER = Path(__file__).parents[1]
README = (FOLDER / "README.md").read_text(encoding="utf-8")
USING = (FOLDER / "docs" / "using.md").read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """The blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.M | re.S)


def environment() -> dict[str, str]:
    """This process's without what AWS's clients read, with what would mislead them: a profile that does not exist, and
    a proxy that nobody runs. fakeshift is found by path.
    """
    given = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    misleading = {"AWS_PROFILE": "no-such-profile", "http_proxy": "http://127.0.0.1:1"}
    return {**given, **misleading, "PYTHONPATH": str(FOLDER / "src")}


def pytest_in(folder: Path, **more: str) -> str:
    """What pytest prints in a folder, with the plugin, which an installed fakeshift brings by itself.

    ``more`` are variables of its environment, empty ones to be left out.
    """
    env = {name: value for name, value in {**environment(), **more}.items() if value}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "pytest_fakeshift"],
        cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    return ended.stdout + ended.stderr


def test_the_five_lines(tmp_path: Path) -> None:
    block = blocks(README, "python")[0]
    assert len(block.splitlines()) == 5
    (tmp_path / "test_mine.py").write_text(block)
    said = pytest_in(tmp_path)
    assert "1 passed" in said, said


def test_without_pytest(tmp_path: Path) -> None:
    block = blocks(README, "python")[1]
    said = subprocess.run(
        [sys.executable, "-c", block],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    assert said.startswith("http://127.0.0.1:")
    assert (tmp_path / "redshift" / "warehouse.duckdb").exists()


def test_settings_and_moto(tmp_path: Path) -> None:
    settings, moto = blocks(USING, "python")
    (tmp_path / "conftest.py").write_text(settings)
    (tmp_path / "test_moto.py").write_text(moto)
    (tmp_path / "test_level.py").write_text(
        "def test_level(fakeshift_server):\n    assert fakeshift_server.settings.isolation == 'serializable'\n"
    )
    said = pytest_in(tmp_path, AWS_PROFILE="")  # the block's own S3 client would look for it
    assert "2 passed" in said, said


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
    assert line.startswith("fakeshift on http://127.0.0.1:")
    assert line.endswith("data in .fakeshift\n")
    assert (tmp_path / ".fakeshift" / "warehouse.duckdb").exists()


def test_the_variables_are_those_of_the_help() -> None:
    lines = "\n".join(re.findall(r"^\$ export (.*)$", README, re.M)).split()
    assert dict(word.split("=", 1) for word in lines) == exported()


def test_the_profile(
    module_server: LocalRedshift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    (block,) = blocks(USING, "ini")
    config = tmp_path / "config"
    config.write_text(block.replace("http://127.0.0.1:4567", module_server.url))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    session = boto3.Session(profile_name="local", aws_access_key_id="me", aws_secret_access_key="x")
    client = session.client("redshift-data")
    assert client.meta.region_name == "us-west-2"
    assert client.list_databases(WorkgroupName="local", Database="dev")["Databases"] == ["dev"]


def test_the_files_are_those_that_there_are(module_server: LocalRedshift) -> None:
    named = set(re.findall(r"`([a-z-]+\.(?:duckdb|sqlite|jsonl))`", USING))
    data = module_server.settings.data
    there = {
        path.name for path in data.iterdir() if path.suffix in (".duckdb", ".sqlite", ".jsonl")
    }
    assert named == there
