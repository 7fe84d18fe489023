"""python -m tools.asl_lint FILE…: the state machine's definition against the States Language.

statelint knows the fields, the transitions and the query language. It does not look into the
expressions in a way that names the one that is wrong, so every `{% … %}` is parsed here. A Task's
resource of another partition than the execution's ends it at that state ("The resource belongs to a
different partition from the running execution": github.com/aws/aws-cdk/issues/4597), so every ARN
takes its partition from the deployment.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
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
    return [
        *Linter.validate(definition, config),
        *_bad_expressions(definition, "$"),
    ]


def fixed_partitions_of(text: str) -> list[str]:
    """The ARNs of a definition, before its substitutions, that take their partition from nowhere, a line each."""
    return list(_fixed_partitions(json.loads(text), "$"))


def _fixed_partitions(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _fixed_partitions(inner, f"{where}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _fixed_partitions(inner, f"{where}[{index}]")
    elif isinstance(value, str) and "arn:aws" in value:
        yield f"{where}: the partition is fixed; write arn:${{Partition}}:… : {value}"


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


def main(paths: list[str]) -> int:
    """Prints the problems of each file; 1 if there are any, or if no file was named."""
    if not paths:
        print("asl_lint: name at least one file")
        return 1
    failed = False
    for path in paths:
        text = Path(path).read_text(encoding="utf-8")
        for problem in problems_of(text) or fixed_partitions_of(text):
            failed = True
            print(f"{path}: {problem}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
