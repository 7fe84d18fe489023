"""Paths of keys in a record: ``customer.email``, ``customer["e-mail"]``, ``readings[0].value``.

They are written as the report on unknown keys writes them (functions/loader/unmapped.py), so that a path can be copied
from there. ``.`` alone is the value itself: the element of an array.
"""

import json
import re
from dataclasses import dataclass

_STEP = re.compile(r"""\.?([^\W\d][\w-]*)|\[\s*(\d{1,6})\s*\]|\[\s*("(?:[^"\\]|\\.)*")\s*\]""")
_PLAIN = re.compile(r"[^\W\d][\w-]*")


class PathRefused(ValueError):
    """A path that cannot be read; the message says how one is written."""


@dataclass(frozen=True)
class Path:
    """A path, step by step: a key, or the number of an array's element. () is the value itself."""

    steps: tuple[str | int, ...]

    def __str__(self) -> str:
        text = ""
        for step in self.steps:
            if isinstance(step, int):
                text += f"[{step}]"
            elif _PLAIN.fullmatch(step):
                text += f".{step}" if text else step
            else:
                text += f"[{json.dumps(step, ensure_ascii=False)}]"
        return text or "."

    @property
    def jsonpath(self) -> str:
        """The path as COPY's JSONPaths files have it.

        Source: docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html#copy-json-jsonpaths
        """
        return "$" + "".join(
            f"[{step}]" if isinstance(step, int) else f"['{step}']" for step in self.steps
        )

    def __truediv__(self, below: "Path") -> "Path":
        return Path(self.steps + below.steps)


def parse(text: str) -> Path:
    """Reads a path. Raises PathRefused."""
    if text == ".":
        return Path(())
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        first_with_dot = at == 0 and text.startswith(".")
        if not found or first_with_dot or (at and found[1] and text[at] != "."):
            raise PathRefused(_advice(text))
        if found[1]:
            steps.append(found[1])
        elif found[2]:
            steps.append(int(found[2]))
        else:
            try:
                steps.append(json.loads(found[3]))
            except ValueError:
                raise PathRefused(_advice(text)) from None
        at = found.end()
    if not steps:
        raise PathRefused(_advice(text))
    for step in steps:
        if isinstance(step, str) and (not step or re.search(r"['\\\x00-\x1f]", step)):
            raise PathRefused(
                f"{text!r}: COPY cannot read a key that is empty or has a single quote, a backslash or a control "
                "character in it. Take the object above it into a super column"
            )
    return Path(tuple(steps))


def _advice(text: str) -> str:
    return (
        f"{text!r} is not a path. Keys are joined by dots (customer.email); a key that is not a plain word is in "
        'brackets and double quotes (customer["e-mail"]); an element of an array has its number in brackets (tags[0])'
    )
