"""What the functions can say, read from their code: every ``"outcome": …`` in it."""

import ast
from functools import cache
from pathlib import Path

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"


@cache
def said_by(module: str) -> frozenset[str]:
    """The outcomes of a module of functions/, and of loader/splitting.py where it continues with another part."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((FUNCTIONS / f"{module}.py").read_text())):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "outcome":
                    found |= _values(value)
        if isinstance(node, ast.ImportFrom) and node.module == "loader.splitting":
            found |= said_by("loader/splitting")
    return frozenset(found)


def _values(node: ast.expr) -> set[str]:
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    if isinstance(node, ast.IfExp):
        return _values(node.body) | _values(node.orelse)
    if ast.unparse(node) == "request.mode":  # plan: said only where the mode is one of these
        return {"check", "reset"}
    raise AssertionError(f"an outcome that is not written out: {ast.unparse(node)}")
