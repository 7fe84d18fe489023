"""The original text of an object or array inside a JSON structure.

"If the value ... referenced by a JSONPath expression is an object or an array, the entire object or array
is loaded as a string, including the braces or brackets": ``{"id": 1,"name": "Renaldo"}`` in the
documentation's example, where the file has each member on its own line.
https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

Step = str | int

_BLANKS = re.compile(r"[ \t\r\n]*")
_STRING_OR_BREAK = re.compile(r'"(?:[^"\\]|\\.)*"|[ \t\r]*\n[ \t\r\n]*')
_DECODER = json.JSONDecoder()


def text_at(structure: str, steps: Sequence[Step], *, ignore_case: bool = False) -> str:
    """The text at an existing path, without the line breaks between its parts."""
    at = _skip(structure, 0)
    for step in steps:
        at = _member(structure, at, step, ignore_case=ignore_case)
    _, end = _DECODER.raw_decode(structure, at)
    return _STRING_OR_BREAK.sub(lambda m: m[0] if m[0][0] == '"' else "", structure[at:end])


def _member(text: str, at: int, step: Step, *, ignore_case: bool) -> int:
    """Where the value of the first member with that name, or the element with that number, starts."""
    number = 0
    while True:
        at = _skip(text, at + 1)  # after the bracket or the comma
        if isinstance(step, str):
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
            if (key.lower() if ignore_case else key) == step:
                return at
        elif number == step:
            return at
        number += 1
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)


def _skip(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    return blanks.end() if blanks else at
