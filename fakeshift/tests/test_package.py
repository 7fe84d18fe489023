"""fakeshift as a package: what it requires, its entry points, and what it does to other tests' runs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from test_readme import environment, pytest_in

import fakeshift

FOLDER = Path(__file__).parents[1]
PROJECT = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BROUGHT = {"botocore": "boto3", "backports": "backports.zstd"}
"""Module -> the requirement that brings it, where their names differ."""


def imported(path: Path) -> set[str]:
    """The top-level modules that a file imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_it_requires_what_it_imports() -> None:
    modules = set[str]().union(*(imported(path) for path in (FOLDER / "src").rglob("*.py")))
    # compression is part of Python from 3.14 on; whoever loads the plugin has pytest
    known = sys.stdlib_module_names | {"compression", "fakeshift", "pytest"}
    required = {re.split(r"[^\w.-]", line)[0].rstrip("=") for line in PROJECT["dependencies"]}
    assert {BROUGHT.get(name, name) for name in modules - known} == required


def test_names_that_it_installs() -> None:
    assert PROJECT["scripts"] == {"fakeshift": "fakeshift.__main__:main"}
    # Named as the module, so that `-p pytest_fakeshift` and the entry point are one plugin.
    assert PROJECT["entry-points"]["pytest11"] == {"pytest_fakeshift": "pytest_fakeshift"}
    assert (FOLDER / "src" / "fakeshift" / "py.typed").exists()


def test_the_changelog_has_the_version() -> None:
    assert f"## {fakeshift.__version__} " in (FOLDER / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_plugin_costs_nothing_until_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import sys\n\n\ndef test_imports():\n"
        "    assert not {'boto3', 'botocore', 'duckdb', 'fakeshift', 'sqlglot'} & set(sys.modules)\n"
    )
    said = pytest_in(tmp_path)
    assert "1 passed" in said, said


@pytest.mark.parametrize(
    ("variable", "url"), [("NO_VARIABLE", "'http://127.0.0.1:1'"), ("AWS_ENDPOINT_URL", "None")]
)
def test_a_copy_reaches_no_s3_that_nobody_named(tmp_path: Path, variable: str, url: str) -> None:
    """With None the environment decides, as for every client."""
    (tmp_path / "test_mine.py").write_text(
        f"def test_url(fakeshift_settings):\n    assert fakeshift_settings.aws_endpoint_url == {url}\n"
    )
    said = pytest_in(tmp_path, **{variable: "http://127.0.0.1:2"})
    assert "1 passed" in said, said


def test_a_compiled_sqlglot_is_refused_when_it_is_imported() -> None:
    """sqlglot's own flag is set, without its compiled build, which would break every other test here.

    With sqlglotc 30.30.0 itself the flag is set too, and without this check every query failed with
    "interpreted classes cannot inherit from compiled" (tried on 2026-11-30 in an environment of its own).
    """
    ended = subprocess.run(
        [sys.executable, "-c", "import sqlglot.tokens as t; t.SQLGLOTC_INSTALLED = True; import fakeshift"],
        env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("ImportError: fakeshift needs sqlglot's Python build")
    assert "pip uninstall sqlglotc" in last
