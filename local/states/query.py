"""JSONata as Step Functions evaluates it: the ``{% … %}`` strings of a state's fields.

Source: docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

import json
import re
import threading
from collections.abc import Mapping
from typing import Any

from jsonata import utils
from jsonata.jsonata import Jsonata

# Not in JSONata 2.0.6 as Step Functions runs it ($eval), or its own additions that nobody here has needed yet.
UNKNOWN_FUNCTIONS = re.compile(r"\$(eval|partition|range|hash|random|uuid|parse)\s*\(")

_local = threading.local()


class QueryError(Exception):
    """An expression that cannot be parsed or evaluated, or has no result: States.QueryEvaluationError.

    ``expression`` is its text; ``problem`` says what is wrong with it; ``where`` is its place in the template ("/a/b").
    """

    def __init__(self, expression: str, problem: str, where: str = "") -> None:
        super().__init__(f"The JSONata expression '{expression}' {problem}")
        self.expression = expression
        self.problem = problem
        self.where = where


def is_expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}")


def evaluate(template: Any, variables: Mapping[str, Any], where: str = "") -> Any:
    """The template with every expression in it replaced by its value; objects and arrays are gone through.

    ``variables``: name without ``$`` -> value, ``states`` among them. Raises QueryError.
    """
    if is_expression(template):
        try:
            return _expression(template[2:-2].strip(), variables)
        except QueryError as error:
            error.where = where
            raise
    if isinstance(template, Mapping):
        return {
            name: evaluate(value, variables, f"{where}/{name}") for name, value in template.items()
        }
    if isinstance(template, list):
        return [
            evaluate(value, variables, f"{where}[{index}]") for index, value in enumerate(template)
        ]
    return template


def parse_error(expression: str) -> str:
    """Why Step Functions would refuse the definition for this expression; '' if it would not."""
    text = expression[2:-2].strip()
    if found := UNKNOWN_FUNCTIONS.search(text):
        return f"${found.group(1)} is not known to this interpreter"
    try:
        compiled(text)
    except Exception as error:
        return str(error)
    return ""


def compiled(text: str) -> Jsonata:
    """The expression, compiled once for each thread: an expression of this library is not shared by threads."""
    known: dict[str, Jsonata] = _local.__dict__.setdefault("compiled", {})
    if text not in known:
        known[text] = Jsonata.jsonata(text)
    return known[text]


def _expression(text: str, variables: Mapping[str, Any]) -> Any:
    # The library reads None as undefined where a variable itself is null.
    bindings = {
        name: utils.Utils.NULL_VALUE if value is None else value
        for name, value in variables.items()
    }
    try:
        value = compiled(text).evaluate(None, bindings)
        # null and undefined both come back as None; JSON has no undefined.
        if value is None and not compiled(f"$exists(({text}))").evaluate(None, bindings):
            raise QueryError(text, "returned nothing (undefined).")
        # A function is no JSON; what is an array of the library's own kind becomes a plain one.
        return json.loads(json.dumps(value))
    except QueryError:
        raise
    except Exception as error:  # the library raises its own, and Python's own from its inside
        code = getattr(error, "error", None)
        raise QueryError(text, f"threw an error: {code or ''} {error}") from error
