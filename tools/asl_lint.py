"""python -m tools.asl_lint FILE…: the state machine's definition against the States Language.

The rules of the language are those of the local AWS. In addition, every ARN must take its partition from the
deployment: a Task whose resource is in another partition than the execution ends the execution at that state ("The
resource belongs to a different partition from the running execution": github.com/aws/aws-cdk/issues/4597).
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.aws.ministack.language import problems_of


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
