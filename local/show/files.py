"""What became of files, as lines of text, and as JSON."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from local.show.report import place
from local.show.terminal import visible

DETAILED = 5
"""More files than this are a line each."""
SHOWN = 3
AS_KEYS = 3
"""With more keys than this, the command that tries them again reads them from a pipe."""
EXACT = re.compile(r"'[^']*'|\d+")


class Place(Protocol):
    """A place in a file, and why it is bad."""

    @property
    def line(self) -> int | None: ...
    @property
    def column(self) -> str: ...
    @property
    def reason(self) -> str: ...


def start(document: Mapping[str, Any], suffix: str = "") -> str:
    """The command that starts an execution with this input."""
    return f"loader start {shlex.quote(json.dumps(document, ensure_ascii=False))}{suffix}"


def kind(reason: str) -> str:
    """A reason without the values that differ from file to file."""
    return EXACT.sub("…", reason)


def where_in(key: str, at: Place) -> str:
    """Key, line and column."""
    return place({"key": key, "line": at.line, "column": at.column or None})


def when(at: str) -> str:
    """A time for a person: minutes, UTC."""
    return at[:16].replace("T", " ")


def why(at: Place) -> str:
    """The reason with its place in the file; '' if there is none."""
    parts = [
        f"{name} {value}" for name, value in (("line", at.line), ("column", at.column)) if value
    ]
    told = ": ".join(filter(None, [", ".join(parts), visible(at.reason)]))
    return f"  {told}" if told else ""


def again_lines(
    keys: list[str], document: Mapping[str, Any], piped: str, suffix: str
) -> Iterator[str]:
    """The command that tries files again: with their keys in it, or through a pipe."""
    if len(keys) <= AS_KEYS:
        yield f"  {start(document, suffix)}"
    else:
        yield f"  loader rejected{piped} --input{suffix} | loader start -{suffix}"
