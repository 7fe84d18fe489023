"""The errors that functions/ raises on purpose are reported at once, or there is a reason why not."""

import ast
import builtins
from collections.abc import Iterator

import pytest

from tests.statemachine.play import STATES
from tests.world.product import ROOT

FUNCTIONS = [
    ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "functions").rglob("*.py"))
    if "dependencies" not in path.parts
]
FINAL = {
    name
    for retrier in STATES["Plan"]["Retry"]
    if retrier["MaxAttempts"] == 0
    for name in retrier["ErrorEquals"]
}
# None of them leaves the function that raises it, or the one that calls it.
CAUGHT = {
    "BadRequest", "BadHeader", "NotThatFormat", "LayoutError", "NotParquet", "Incomplete", "Changed",
    "_Interrupted", "TypeError",
}  # fmt: skip
RETRIED = {
    "ValueError": "a bug, or an answer of the Data API that is not as documented; Python raises it itself too",
    "AssertionError": "a bug",
}
# Step Functions raises it: AWS's page says that States.ALL does not match it, a recording that it does.
OF_STEP_FUNCTIONS = {"States.DataLimitExceeded"}


def nodes() -> Iterator[ast.AST]:
    return (node for tree in FUNCTIONS for node in ast.walk(tree))


def names_of(expressions: list[ast.expr]) -> set[str]:
    """The last part of each name: TemplateError of sql.TemplateError."""
    return {ast.unparse(expression).rpartition(".")[2] for expression in expressions}


def is_builtin(name: str) -> bool:
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, BaseException)


def own() -> set[str]:
    """The classes of functions/ that are exceptions."""
    bases = {n.name: names_of(n.bases) for n in nodes() if isinstance(n, ast.ClassDef)}
    found: set[str] = set()
    while new := {
        name
        for name, parents in bases.items()
        if name not in found and any(is_builtin(each) or each in found for each in parents)
    }:
        found |= new
    return found


def raised() -> set[str]:
    """Python's own exceptions that functions/ raises by name."""
    named = names_of(
        [n.exc.func for n in nodes() if isinstance(n, ast.Raise) and isinstance(n.exc, ast.Call)]
    )
    return {name for name in named if is_builtin(name)}


def test_each_error_that_we_raise_is_final_or_there_is_a_reason() -> None:
    assert {"StatementFailed", "SettingsError"} <= own()
    assert "TimeoutError" in raised()
    known = [FINAL - OF_STEP_FUNCTIONS, CAUGHT, set(RETRIED)]
    assert own() | raised() == set().union(*known), (
        "name it in each Retry of statemachine/load.asl.json, or here"
    )
    assert sum(map(len, known)) == len(set().union(*known)), "one of the three, and only one"


@pytest.mark.parametrize("name", sorted(CAUGHT))
def test_what_counts_as_caught_is_caught_somewhere(name: str) -> None:
    handlers = [n.type for n in nodes() if isinstance(n, ast.ExceptHandler) and n.type]
    kinds = [each.elts if isinstance(each, ast.Tuple) else [each] for each in handlers]
    kinds += [
        n.args for n in nodes() if isinstance(n, ast.Call) and "suppress" in names_of([n.func])
    ]
    assert any(name in names_of(each) for each in kinds)
