"""No import climbs: each floor of the package knows only the floors below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import fakeshift

FLOORS = [
    "server wire",
    "api",
    "statements",
    "commands",
    "copy unload",
    "dialect",
    "engine",
    "system",
    "catalog",
    "sql",
    "config errors faults principal refusals s3",
]
"""Folders and modules from the top. A module at the top of the package that is not listed (such as
``__main__``) is above all; a folder has to be listed. Neighbours do not import each other's folders.
"""
FLOOR = {room: number for number, rooms in enumerate(FLOORS, 1) for room in rooms.split()}
ROOT = Path(fakeshift.__file__).parent


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {_module(path): path for path in ROOT.rglob("*.py")}


def _imports(path: Path) -> Iterator[str]:
    """Our modules that a file imports, inside functions and under TYPE_CHECKING too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            names = [f"{node.module}.{name.name}" for name in node.names]
            yield from (name if name in MODULES else str(node.module) for name in names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


IMPORTS = {module: MODULES.keys() & set(_imports(path)) for module, path in MODULES.items()}


def _climbs(module: str, other: str) -> bool:
    here, there = (name.split(".")[1] if "." in name else "" for name in (module, other))
    if here == there:
        return False
    above, below = FLOOR.get(here, 0), FLOOR.get(there, 0)
    return above > below or (above == below and "." in other and (ROOT / there).is_dir())


def test_every_folder_has_a_floor() -> None:
    assert {path.parent.name for path in ROOT.glob("*/*.py")} <= FLOOR.keys()


def test_no_import_climbs() -> None:
    climbs = [f"{a} imports {b}" for a in IMPORTS for b in IMPORTS[a] if _climbs(a, b)]
    assert sorted(climbs) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    TopologicalSorter(IMPORTS).prepare()  # CycleError names them
