"""fakeshift is used here as any project would use it: by the names it exports, and nothing behind them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import fakeshift
from local.environment import ROOT

ITS_TESTS = ("conformance", "conftest", "warehouse")
"""Modules of fakeshift/tests; only verify uses them: it runs the conformance cases against a real Redshift."""


def files() -> list[Path]:
    """Every Python file outside fakeshift/ that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [
        ROOT / name
        for name in listed
        if not name.startswith("fakeshift/") and (ROOT / name).exists()
    ]


def imported(source: str) -> Iterator[str]:
    """``a.b`` of ``import a.b``; ``a.b:c`` of ``from a.b import c``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}:{alias.name}" for alias in node.names)


def behind(source: str) -> list[str]:
    """What a source takes of fakeshift and fakeshift does not export."""
    public = {"fakeshift", *(f"fakeshift:{name}" for name in fakeshift.__all__)}
    ours = [
        name for name in imported(source) if name.replace(":", ".").split(".")[0] == "fakeshift"
    ]
    return [name for name in ours if name not in public]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from fakeshift import LocalRedshift, Settings", []),
        ("import fakeshift", []),
        ("from fakeshift.config import Isolation", ["fakeshift.config:Isolation"]),
        ("from fakeshift import config", ["fakeshift:config"]),
        ("import fakeshift.engine.errors", ["fakeshift.engine.errors"]),
        ("import fakeshifts.engine", []),
    ],
)
def test_what_is_behind_the_face_is_found(source: str, found: list[str]) -> None:
    assert behind(source) == found


def test_no_file_outside_imports_what_fakeshift_does_not_export() -> None:
    assert len(files()) > 100
    found = {
        str(path.relative_to(ROOT)): names
        for path in files()
        if (names := behind(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_only_verify_uses_fakeshifts_tests() -> None:
    users = {
        path.relative_to(ROOT).parts[:2]
        for path in files()
        for name in imported(path.read_text(encoding="utf-8"))
        if name.replace(":", ".").split(".")[0] in ITS_TESTS
    }
    assert {user for user in users if user[0] != "verify"} <= {("tests", "verify")}


def test_every_exported_name_is_there() -> None:
    assert [name for name in fakeshift.__all__ if not hasattr(fakeshift, name)] == []
    assert sorted(fakeshift.__all__) == fakeshift.__all__


def test_the_package_has_the_same_licence() -> None:
    assert (ROOT / "fakeshift/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
