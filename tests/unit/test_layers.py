"""Handlers stand side by side on loader/, whose modules import each other in one direction."""

import ast
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
HANDLERS = {path.stem: path for path in FUNCTIONS.glob("*.py")}
LOADER = {path.stem: path for path in (FUNCTIONS / "loader").glob("*.py")}


def imported(path: Path) -> set[str]:
    """The modules that a file imports, those of loader/ as loader.<name>."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module == "loader":
            found |= {f"loader.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", [*HANDLERS.values(), *LOADER.values()], ids=lambda path: path.stem)
def test_nothing_imports_a_handler(path: Path) -> None:
    assert not imported(path) & HANDLERS.keys()


def test_no_circle() -> None:
    left = {
        name: {found.removeprefix("loader.") for found in imported(path)} & LOADER.keys()
        for name, path in LOADER.items()
    }
    while ground := {name for name, needs in left.items() if not needs & left.keys()}:
        left = {name: needs for name, needs in left.items() if name not in ground}
    assert left == {}, "what imports itself, over others"


@pytest.mark.parametrize("path", [*HANDLERS.values(), *LOADER.values()], ids=lambda path: path.stem)
def test_only_the_clients_know_boto3(path: Path) -> None:
    knows = "boto3" in imported(path)
    assert knows == (path.stem in {"clients", "dataapi", "store"})
