"""A state machine's definition against the States Language.

statelint knows the fields, the transitions and the query language. It does not say which expression is wrong, so every
`{% … %}` is parsed here.
"""

import json
from collections.abc import Iterator
from typing import Any

from jsonata import Jsonata
from statelint.config import Config
from statelint.linter import Linter
from statelint.problem import ProblemType


def problems_of(text: str) -> list[str]:
    """What is wrong with a definition, a line each; nothing for a sound one."""
    try:
        definition = json.loads(text)
    except json.JSONDecodeError as error:
        return [f"not JSON: {error}"]
    # FLOAT: that a BackoffRate of 2 has to be written 2.0 is no rule of the States Language.
    config = Config(ignored_problem_types={ProblemType.FLOAT})
    return [*Linter.validate(definition, config), *_bad_expressions(definition, "$")]


def _bad_expressions(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _bad_expressions(inner, f"{where}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _bad_expressions(inner, f"{where}[{index}]")
    elif isinstance(value, str) and value.startswith("{%"):
        if not value.endswith("%}"):
            yield f"{where}: the expression does not end with %}}: {value}"
            return
        try:
            Jsonata.jsonata(value[2:-2].strip())
        except Exception as error:
            yield f"{where}: {error}: {value}"
