"""Which part of the tree may import which, as the import statements of its modules say."""

import ast
import re
import subprocess
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = {"functions/": "", "fakeshift/src/": "", "fakeshift/tests/": "fakeshift_tests/"}
"""Folders that are on Python's path: what their modules' names begin with instead."""
HANDLERS = {path.stem for path in (ROOT / "functions").glob("*.py")}
PARTS: dict[str, set[str]] = {
    "functions": set(),
    "contracts": set(),
    "fakeshift": set(),
    "fakeshift_tests": {"fakeshift"},
    "local": {"contracts", "fakeshift", "functions"},
    "tools": {"contracts", "local"},
    "tests.world": {"contracts", "functions", "fakeshift", "local"},
    "verify": {"local", "tests.world"},
    "benchmarks": {"contracts", "functions", "fakeshift", "local", "tests.world"},
}
"""What each part may import of the others."""
TESTS = {
    *("contracts", "functions", "fakeshift", "fakeshift_tests"),
    *("local", "tools", "tests.world", "verify"),
}
"""What a folder of tests/ may import: no other folder of tests, and no benchmarks."""
FLOORS = (
    *("problem", "environment", "datasets", "generator", "states", "trial"),
    *("show", "aws", "client", "commands", "__main__"),
)
"""The parts of local/: each imports only those before it."""
Imports = Mapping[str, set[str]]


def module_of(path: str) -> str:
    for folder, name in NAMES.items():
        path = name + path.removeprefix(folder) if path.startswith(folder) else path
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(path: Path, module: str, modules: set[str]) -> Iterator[str]:
    """The modules of the tree that a file imports, wherever in it."""
    package = module.split(".") if path.stem == "__init__" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        found: list[str] = []
        if isinstance(node, ast.Import):
            found = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            inner = {f"{base}.{each.name}" for each in node.names}
            found = [each if each in modules else base for each in inner]
        yield from (each for each in found if each in modules and each != module)


@pytest.fixture(scope="module")
def imports() -> Imports:
    listed = subprocess.check_output(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py"], cwd=ROOT
    )
    paths = [path for path in listed.decode().split() if (ROOT / path).exists()]
    modules = {module_of(path): ROOT / path for path in paths}
    return {name: set(imported(path, name, set(modules))) for name, path in modules.items()}


def part_of(module: str) -> str:
    first, _, rest = module.partition(".")
    if first in HANDLERS or first == "loader":
        return "functions"
    return f"tests.{rest.partition('.')[0]}" if first == "tests" and rest else first


def test_each_part_imports_only_what_it_may(imports: Imports) -> None:
    wrong = [
        f"{module} -> {other}"
        for module, others in imports.items()
        for other in others
        if part_of(other) not in {part_of(module), *PARTS.get(part_of(module), TESTS)}
    ]
    assert not wrong


def within(imports: Imports, part: str) -> Imports:
    """The imports of a part of the tree, of itself."""
    return {
        module: {other for other in others if part_of(other) == part}
        for module, others in imports.items()
        if part_of(module) == part
    }


def has_no_circle(part: Imports) -> None:
    try:
        TopologicalSorter(part).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {error.args[1]}")


def test_a_handler_imports_no_other_and_the_loader_none(imports: Imports) -> None:
    functions = within(imports, "functions")
    assert len(functions) > 30
    assert not [f"{m} -> {o}" for m, others in functions.items() for o in others if o in HANDLERS]
    has_no_circle({m: others - {"loader"} for m, others in functions.items()})


def test_only_three_modules_of_the_loader_know_boto3() -> None:
    paths = (ROOT / "functions").rglob("*.py")
    knows = {
        p.stem for p in paths if re.search(r"^\s*(import|from) boto3", p.read_text("utf-8"), re.M)
    }
    assert knows == {"clients", "dataapi", "store"}


def test_no_module_of_local_imports_a_higher_floor_or_a_circle(imports: Imports) -> None:
    local = {
        m: others - {"local"} for m, others in within(imports, "local").items() if m != "local"
    }
    floor = {module: FLOORS.index(module.split(".")[1]) for module in local}
    assert not [f"{m} -> {o}" for m, others in local.items() for o in others if floor[o] > floor[m]]
    has_no_circle(local)
